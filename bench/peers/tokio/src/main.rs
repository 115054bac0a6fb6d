// The benchmarks of astd_bench on tokio: tokio_bench THREADS BENCH [ARGS]
//
// One thread is the current_thread runtime; with TOKIO_MULTI_THREAD set, the multi-thread one with one worker.
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

const REPETITIONS: usize = 3;

fn argument(index: usize, otherwise: u64) -> u64 {
    std::env::args()
        .nth(3 + index)
        .map_or(otherwise, |text| text.parse().expect("a number"))
}

fn cpu_ns() -> f64 {
    // SAFETY: getrusage fills the zeroed struct it is given.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) as f64 * 1e9
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) as f64 * 1e3
}

fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("/proc/self/statm");
    let pages: u64 = text
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .expect("statm");
    // SAFETY: sysconf has no preconditions.
    (pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64) as f64
}

struct Stopwatch {
    cpu: f64,
    wall: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Stopwatch {
            cpu: cpu_ns(),
            wall: Instant::now(),
        }
    }

    fn report(self, name: &str, operations: u64) {
        let wall = self.wall.elapsed().as_nanos() as f64;
        let cpu = cpu_ns() - self.cpu;
        let count = operations as f64;
        println!(
            "RES {} {:.2} {:.2} {}",
            name,
            wall / count,
            cpu / count,
            operations
        );
    }
}

fn fib_calls(n: u64) -> u64 {
    if n < 2 {
        1
    } else {
        1 + fib_calls(n - 1) + fib_calls(n - 2)
    }
}

fn plain_fib(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        plain_fib(n - 1) + plain_fib(n - 2)
    }
}

/// The same delays in every program: 1 to 1000 ms.
struct Delays(u64);

impl Delays {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(1 + self.0 % 1000)
    }
}

async fn spawn(name: &str, count: u64, times: u64) {
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        for _ in 0..times {
            let mut handles = Vec::with_capacity(count as usize);
            handles.extend((0..count).map(|i| tokio::spawn(async move { i })));
            let mut sum = 0;
            for handle in handles {
                sum += handle.await.unwrap();
            }
            assert_eq!(sum, count * (count - 1) / 2);
        }
        watch.report(name, count * times);
    }
}

async fn spawn_seq(count: u64) {
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        for i in 0..count {
            assert_eq!(tokio::spawn(async move { i }).await.unwrap(), i);
        }
        watch.report("spawn_seq", count);
    }
}

async fn yield_often(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

async fn yield_tasks(tasks: u64, times: u64) {
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        let handles: Vec<_> = (0..tasks)
            .map(|_| tokio::spawn(yield_often(times)))
            .collect();
        for handle in handles {
            handle.await.unwrap();
        }
        watch.report("yield", tasks * times);
    }
}

fn fib_of(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let left = tokio::spawn(fib_of(n - 1));
        let right = fib_of(n - 2).await;
        left.await.unwrap() + right
    })
}

async fn fib(n: u64) {
    let (expected, calls) = (plain_fib(n), fib_calls(n));
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        assert_eq!(fib_of(n).await, expected);
        watch.report("fib", calls);
    }
}

/// Sums the numbers of its leaves: `size` of them, counted from `first`.
fn skynet_of(first: u64, size: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if size == 1 {
            return first;
        }
        let part = size / 10;
        let children: [JoinHandle<u64>; 10] =
            std::array::from_fn(|i| tokio::spawn(skynet_of(first + i as u64 * part, part)));
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap();
        }
        sum
    })
}

async fn skynet() {
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        assert_eq!(skynet_of(0, 1_000_000).await, 499_999_500_000);
        watch.report("skynet", 1_111_111);
    }
}

/// Polls a sleep a single time, which registers its timer.
struct PollOnce<'a>(Pin<&'a mut Sleep>);

impl Future for PollOnce<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let _ = self.0.as_mut().poll(context);
        Poll::Ready(())
    }
}

async fn registered(delay: Duration) -> Pin<Box<Sleep>> {
    let mut sleep = Box::pin(tokio::time::sleep(delay));
    PollOnce(sleep.as_mut()).await;
    sleep
}

async fn timers(count: u64) {
    for _ in 0..REPETITIONS {
        let watch = Stopwatch::start();
        let mut live = Vec::with_capacity(count as usize);
        // Unconstrained, else tokio's cooperation budget stops the polls from registering after 128 timers.
        tokio::task::unconstrained(async {
            for i in 0..count {
                live.push(registered(Duration::from_millis(10_000 + i % 50_000)).await);
            }
        })
        .await;
        drop(live);
        watch.report("timers", count);
    }
}

async fn sleeps(count: u64) {
    let mut delays = Delays(0x2545f4914f6cdd1d);
    let watch = Stopwatch::start();
    let mut handles = Vec::with_capacity(count as usize);
    handles.extend((0..count).map(|_| tokio::spawn(tokio::time::sleep(delays.next()))));
    for handle in handles {
        handle.await.unwrap();
    }
    watch.report("sleeps", count);
}

async fn memory(count: u64) {
    let started = Arc::new(AtomicU64::new(0));
    let before = resident_bytes();
    for i in 0..count {
        let started = started.clone();
        tokio::spawn(async move {
            started.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(3600)).await;
        });
        if i % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while started.load(Ordering::Relaxed) < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!(
        "MEM mem {:.1} {}",
        (resident_bytes() - before) / count as f64,
        count
    );
    std::process::exit(0); // a million cancellations are not what is measured
}

async fn answer(mut stream: TcpStream) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                if stream.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn echo(port: u64) {
    let listener = TcpListener::bind(("127.0.0.1", port as u16)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(answer(stream));
    }
}

async fn run(name: String) {
    match name.as_str() {
        "spawn" => spawn("spawn", argument(0, 1_000_000), 1).await,
        "spawn_10k" => spawn("spawn_10k", 10_000, argument(0, 100)).await,
        "spawn_seq" => spawn_seq(argument(0, 1_000_000)).await,
        "yield" => yield_tasks(argument(0, 1000), argument(1, 1000)).await,
        "fib" => fib(argument(0, 27)).await,
        "skynet" => skynet().await,
        "timers" => timers(argument(0, 500_000)).await,
        "sleeps" => sleeps(argument(0, 100_000)).await,
        "mem" => memory(argument(0, 200_000)).await,
        "echo" => echo(argument(0, 20_000)).await,
        _ => {
            eprintln!("no such benchmark: {}", name);
            std::process::exit(2);
        }
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (threads, name) = match (
        words.next().and_then(|word| word.parse::<usize>().ok()),
        words.next(),
    ) {
        (Some(threads), Some(name)) => (threads, name),
        _ => {
            eprintln!("usage: tokio_bench THREADS BENCH [ARGS]");
            std::process::exit(2);
        }
    };
    let mut builder = if threads == 1 && std::env::var_os("TOKIO_MULTI_THREAD").is_none() {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder
        .worker_threads(threads)
        .enable_all()
        .build()
        .expect("a runtime");
    // Spawned, so that the work runs on the workers and not on this thread.
    runtime.block_on(async { tokio::spawn(run(name)).await.expect("the benchmark") });
}
