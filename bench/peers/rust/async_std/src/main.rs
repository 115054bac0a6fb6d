//! The benchmarks of astd_bench on async_std: async_std_bench THREADS BENCH [ARGS]

mod waiting;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use shared::*;
use async_std::io::prelude::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_std::sync::Mutex;
use async_std::task::JoinHandle;
use atomic_waker::AtomicWaker;

async fn spawn(name: &str, count: u64, times: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            for _ in 0..times {
                let mut handles = Vec::with_capacity(count as usize);
                handles.extend((0..count).map(|i| async_std::task::spawn(async move { i })));
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await;
                }
                assert_eq!(sum, count * (count - 1) / 2);
            }
        }
        watch.report(name, count * times);
    }
}

async fn spawn_seq(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            for i in 0..count {
                assert_eq!(async_std::task::spawn(async move { i }).await, i);
            }
        }
        watch.report("spawn_seq", count);
    }
}

async fn yield_often(times: u64) {
    for _ in 0..times {
        async_std::task::yield_now().await;
    }
}

async fn yield_tasks(tasks: u64, times: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let handles: Vec<_> = (0..tasks)
                .map(|_| async_std::task::spawn(yield_often(times)))
                .collect();
            for handle in handles {
                handle.await;
            }
        }
        watch.report("yield", tasks * times);
    }
}

/// A flag that one task waits for and another sets: async-std has none but channels, which cost more.
struct Flag {
    set: AtomicBool,
    waiter: AtomicWaker,
}

impl Flag {
    fn new() -> Self {
        Flag {
            set: AtomicBool::new(false),
            waiter: AtomicWaker::new(),
        }
    }

    fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.waiter.wake();
    }

    fn wait(&self) -> impl Future<Output = ()> + '_ {
        std::future::poll_fn(|context: &mut Context<'_>| {
            if self.set.swap(false, Ordering::AcqRel) {
                return Poll::Ready(());
            }
            self.waiter.register(context.waker());
            if self.set.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }
}

async fn take_turns(mine: Arc<Flag>, others: Arc<Flag>, times: u64) {
    for _ in 0..times {
        mine.wait().await;
        others.set();
    }
}

async fn ping_pong(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (first, second) = (Arc::new(Flag::new()), Arc::new(Flag::new()));
            let one = async_std::task::spawn(take_turns(first.clone(), second.clone(), count));
            let other = async_std::task::spawn(take_turns(second, first.clone(), count));
            first.set();
            one.await;
            other.await;
        }
        watch.report("pingpong", count);
    }
}

fn fib_of(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let left = async_std::task::spawn(fib_of(n - 1));
        let right = fib_of(n - 2).await;
        left.await + right
    })
}

async fn fib(n: u64) {
    let (expected, calls) = (plain_fib(n), fib_calls(n));
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            assert_eq!(fib_of(n).await, expected);
        }
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
            std::array::from_fn(|i| async_std::task::spawn(skynet_of(first + i as u64 * part, part)));
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        sum
    })
}

async fn skynet() {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            assert_eq!(skynet_of(0, SKYNET_LEAVES).await, SKYNET_SUM);
        }
        watch.report("skynet", SKYNET_TASKS);
    }
}

fn queens_of(board: Board) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if board.is_full() {
            return 1;
        }
        let mut children: [Option<JoinHandle<u64>>; QUEENS_SIZE as usize] = Default::default();
        for (place, next) in children.iter_mut().zip(board.next_boards()) {
            *place = Some(async_std::task::spawn(queens_of(next)));
        }
        let mut solutions = 0;
        for child in children.into_iter().flatten() {
            solutions += child.await;
        }
        solutions
    })
}

async fn queens() {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            assert_eq!(queens_of(Board::default()).await, QUEENS_SOLUTIONS);
        }
        watch.report("queens", QUEENS_TASKS);
    }
}

async fn lock(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        let mutex = Mutex::new(0);
        while watch.goes_on() {
            for _ in 0..count {
                *mutex.lock().await += 1;
            }
        }
        watch.report("lock", count);
    }
}

async fn channel(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (there, mine) = async_std::channel::bounded::<u64>(1);
            let (answer, back) = async_std::channel::bounded::<u64>(1);
            let other = async_std::task::spawn(async move {
                while let Ok(ball) = mine.recv().await {
                    answer.send(ball).await.unwrap();
                }
            });
            async_std::task::spawn(async move {
                for i in 0..count {
                    there.send(i).await.unwrap();
                    assert_eq!(back.recv().await.unwrap(), i);
                }
            })
            .await;
            other.await;
        }
        watch.report("channel", count);
    }
}

async fn mpsc(producers: u64, count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, receiver) = async_std::channel::bounded::<u64>(1024);
            let consumer = async_std::task::spawn(async move {
                let mut sum = 0;
                while let Ok(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            });
            for _ in 0..producers {
                let sender = sender.clone();
                async_std::task::spawn(async move {
                    for i in 0..count {
                        sender.send(i).await.unwrap();
                    }
                });
            }
            drop(sender);
            assert_eq!(consumer.await, producers * (count * (count - 1) / 2));
        }
        watch.report("mpsc", producers * count);
    }
}

async fn mpsc_unbounded(producers: u64, count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, receiver) = async_std::channel::unbounded::<u64>();
            let consumer = async_std::task::spawn(async move {
                let mut sum = 0;
                while let Ok(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            });
            for _ in 0..producers {
                let sender = sender.clone();
                async_std::task::spawn(async move {
                    for i in 0..count {
                        sender.send(i).await.unwrap();
                    }
                });
            }
            drop(sender);
            assert_eq!(consumer.await, producers * (count * (count - 1) / 2));
        }
        watch.report("mpsc_unbounded", producers * count);
    }
}

async fn mpmc(tasks: u64, count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, receiver) = async_std::channel::bounded::<u64>(1024);
            let consumers: Vec<_> = (0..tasks)
                .map(|_| {
                    let receiver = receiver.clone();
                    async_std::task::spawn(async move {
                        let mut sum = 0;
                        while let Ok(message) = receiver.recv().await {
                            sum += message;
                        }
                        sum
                    })
                })
                .collect();
            for _ in 0..tasks {
                let sender = sender.clone();
                async_std::task::spawn(async move {
                    for i in 0..count {
                        sender.send(i).await.unwrap();
                    }
                });
            }
            drop(sender);
            let mut sum = 0;
            for consumer in consumers {
                sum += consumer.await;
            }
            assert_eq!(sum, tasks * (count * (count - 1) / 2));
        }
        watch.report("mpmc", tasks * count);
    }
}

async fn lock_by_four(name: &str, count: u64, yields: bool) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let mutex = Arc::new(Mutex::new(0));
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let mutex = mutex.clone();
                    async_std::task::spawn(async move {
                        for _ in 0..count {
                            let mut sum = mutex.lock().await;
                            *sum += 1;
                            if yields {
                                async_std::task::yield_now().await;
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
            assert_eq!(*mutex.lock().await, 4 * count);
        }
        watch.report(name, 4 * count);
    }
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A sleep that was polled a single time, which registers its timer.
async fn registered(delay: Duration) -> Sleep {
    let mut sleep: Sleep = Box::pin(async_std::task::sleep(delay));
    std::future::poll_fn(|context| {
        let _ = sleep.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    sleep
}

async fn timers(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let mut live = Vec::with_capacity(count as usize);
            for i in 0..count {
                live.push(registered(Duration::from_millis(10_000 + i % 50_000)).await);
            }
            drop(live);
        }
        watch.report("timers", count);
    }
}

async fn sleeps(count: u64) {
    let mut delays = Delays::new();
    let watch = Stopwatch::start();
    let mut handles = Vec::with_capacity(count as usize);
    handles.extend(
        delays
            .by_ref()
            .take(count as usize)
            .map(|delay| async_std::task::spawn(async_std::task::sleep(delay))),
    );
    for handle in handles {
        handle.await;
    }
    watch.report("sleeps", count);
}

async fn blocking(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            for i in 0..count {
                assert_eq!(async_std::task::spawn_blocking(move || i).await, i);
            }
        }
        watch.report("blocking", count);
    }
}

async fn memory(count: u64) {
    let started = Arc::new(AtomicU64::new(0));
    let before = Memory::now();
    for i in 0..count {
        let started = started.clone();
        async_std::task::spawn(async move {
            started.fetch_add(1, Ordering::Relaxed);
            async_std::task::sleep(Duration::from_secs(3600)).await;
        });
        if i % 1000 == 0 {
            async_std::task::yield_now().await;
        }
    }
    while started.load(Ordering::Relaxed) < count {
        async_std::task::sleep(Duration::from_millis(10)).await;
    }
    before.report(count);
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
        async_std::task::spawn(answer(stream));
    }
}

async fn run(name: String) {
    match name.as_str() {
        "spawn" => spawn("spawn", argument(0, 1_000_000), 1).await,
        "spawn_10k" => spawn("spawn_10k", 10_000, argument(0, 100)).await,
        "spawn_seq" => spawn_seq(argument(0, 1_000_000)).await,
        "yield" => yield_tasks(argument(0, 1000), argument(1, 1000)).await,
        "pingpong" => ping_pong(argument(0, 1_000_000)).await,
        "fib" => fib(argument(0, 27)).await,
        "skynet" => skynet().await,
        "queens" => queens().await,
        "lock" => lock(argument(0, 5_000_000)).await,
        "lock_shared" => lock_by_four("lock_shared", argument(0, 250_000), false).await,
        "lock_held" => lock_by_four("lock_held", argument(0, 100_000), true).await,
        "channel" => channel(argument(0, 500_000)).await,
        "mpsc" => mpsc(argument(0, 4), argument(1, 500_000)).await,
        "mpsc_unbounded" => mpsc_unbounded(argument(0, 4), argument(1, 500_000)).await,
        "mpmc" => mpmc(argument(0, 4), argument(1, 500_000)).await,
        "rwlock" => waiting::rwlock(argument(0, 250_000)).await,
        "request" => waiting::request(argument(0, 200_000)).await,
        "timers" => timers(argument(0, 500_000)).await,
        "sleeps" => sleeps(argument(0, 100_000)).await,
        "blocking" => blocking(argument(0, 20_000)).await,
        "mem" => memory(argument(0, 200_000)).await,
        "echo" => echo(argument(0, 20_000)).await,
        _ => no_such_benchmark(&name),
    }
}

fn main() {
    let (threads, name) = threads_and_bench();
    std::env::set_var("ASYNC_STD_THREAD_COUNT", threads.to_string());
    // Spawned, so that the work runs on the workers and not on this thread.
    async_std::task::block_on(async { async_std::task::spawn(run(name)).await });
}
