//! The benchmarks of astd_bench on tokio: tokio_bench THREADS BENCH [ARGS]
//!
//! One thread is the current_thread runtime; with TOKIO_MULTI_THREAD set, the multi-thread one with one worker.
mod waiting;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use shared::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify as Flag};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

async fn spawn(name: &str, count: u64, times: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            for _ in 0..times {
                let mut handles = Vec::with_capacity(count as usize);
                handles.extend((0..count).map(|i| tokio::spawn(async move { i })));
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
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
                assert_eq!(tokio::spawn(async move { i }).await.unwrap(), i);
            }
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
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let handles: Vec<_> = (0..tasks)
                .map(|_| tokio::spawn(yield_often(times)))
                .collect();
            for handle in handles {
                handle.await.unwrap();
            }
        }
        watch.report("yield", tasks * times);
    }
}

async fn take_turns(mine: Arc<Flag>, others: Arc<Flag>, times: u64) {
    for _ in 0..times {
        mine.notified().await;
        others.notify_one();
    }
}

async fn ping_pong(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (first, second) = (Arc::new(Flag::new()), Arc::new(Flag::new()));
            let one = tokio::spawn(take_turns(first.clone(), second.clone(), count));
            let other = tokio::spawn(take_turns(second, first.clone(), count));
            first.notify_one();
            one.await.unwrap();
            other.await.unwrap();
        }
        watch.report("pingpong", count);
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
            std::array::from_fn(|i| tokio::spawn(skynet_of(first + i as u64 * part, part)));
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap();
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
            *place = Some(tokio::spawn(queens_of(next)));
        }
        let mut solutions = 0;
        for child in children.into_iter().flatten() {
            solutions += child.await.unwrap();
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
            let (there, mut mine) = tokio::sync::mpsc::channel::<u64>(1);
            let (answer, mut back) = tokio::sync::mpsc::channel::<u64>(1);
            let other = tokio::spawn(async move {
                while let Some(ball) = mine.recv().await {
                    answer.send(ball).await.unwrap();
                }
            });
            tokio::spawn(async move {
                for i in 0..count {
                    there.send(i).await.unwrap();
                    assert_eq!(back.recv().await.unwrap(), i);
                }
            })
            .await
            .unwrap();
            other.await.unwrap();
        }
        watch.report("channel", count);
    }
}

async fn mpsc(producers: u64, count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, mut receiver) = tokio::sync::mpsc::channel::<u64>(1024);
            let consumer = tokio::spawn(async move {
                let mut sum = 0;
                while let Some(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            });
            for _ in 0..producers {
                let sender = sender.clone();
                tokio::spawn(async move {
                    for i in 0..count {
                        sender.send(i).await.unwrap();
                    }
                });
            }
            drop(sender);
            assert_eq!(
                consumer.await.unwrap(),
                producers * (count * (count - 1) / 2)
            );
        }
        watch.report("mpsc", producers * count);
    }
}

async fn mpsc_unbounded(producers: u64, count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<u64>();
            let consumer = tokio::spawn(async move {
                let mut sum = 0;
                while let Some(message) = receiver.recv().await {
                    sum += message;
                }
                sum
            });
            for _ in 0..producers {
                let sender = sender.clone();
                tokio::spawn(async move {
                    for i in 0..count {
                        sender.send(i).unwrap();
                    }
                });
            }
            drop(sender);
            assert_eq!(
                consumer.await.unwrap(),
                producers * (count * (count - 1) / 2)
            );
        }
        watch.report("mpsc_unbounded", producers * count);
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
                    tokio::spawn(async move {
                        for _ in 0..count {
                            let mut sum = mutex.lock().await;
                            *sum += 1;
                            if yields {
                                tokio::task::yield_now().await;
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(*mutex.lock().await, 4 * count);
        }
        watch.report(name, 4 * count);
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
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let mut live = Vec::with_capacity(count as usize);
            // Unconstrained, else tokio's cooperation budget stops the polls from registering after 128 timers.
            tokio::task::unconstrained(async {
                for i in 0..count {
                    live.push(registered(Duration::from_millis(10_000 + i % 50_000)).await);
                }
            })
            .await;
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
            .map(|delay| tokio::spawn(tokio::time::sleep(delay))),
    );
    for handle in handles {
        handle.await.unwrap();
    }
    watch.report("sleeps", count);
}

async fn blocking(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            for i in 0..count {
                assert_eq!(tokio::task::spawn_blocking(move || i).await.unwrap(), i);
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
        tokio::spawn(answer(stream));
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
        "rwlock" => waiting::rwlock(argument(0, 250_000)).await,
        "semaphore" => waiting::semaphore(argument(0, 50_000)).await,
        "broadcast" => waiting::broadcast_to(argument(0, 1000)).await,
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
