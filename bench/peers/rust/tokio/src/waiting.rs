// What tasks wait in for each other, beside channels: see ../../../../waiting_bench.cpp for what each does.
use shared::*;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot, RwLock, Semaphore};

async fn join_all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

pub async fn rwlock(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let lock = Arc::new(RwLock::new(0));
            let body = |lock: Arc<RwLock<u64>>| async move {
                for i in 0..count {
                    if i % READS_FOR_A_WRITE == 0 {
                        *lock.write().await += 1;
                    } else {
                        assert!(*lock.read().await <= 4 * count);
                    }
                }
            };
            join_all((0..4).map(|_| tokio::spawn(body(lock.clone()))).collect()).await;
            assert_eq!(*lock.read().await, 4 * writes_of(count));
        }
        watch.report("rwlock", 4 * count);
    }
}

pub async fn semaphore(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let permits = Arc::new(Semaphore::new(4));
            let body = |permits: Arc<Semaphore>| async move {
                for _ in 0..count {
                    let _permit = permits.acquire().await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            join_all((0..8).map(|_| tokio::spawn(body(permits.clone()))).collect()).await;
        }
        watch.report("semaphore", 8 * count);
    }
}

pub async fn broadcast_to(receivers: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        while watch.goes_on() {
            let (sender, _) = broadcast::channel(BROADCAST_MESSAGES as usize);
            let body = |mut receiver: broadcast::Receiver<u64>| async move {
                let mut sum = 0;
                for _ in 0..BROADCAST_MESSAGES {
                    sum += receiver.recv().await.unwrap();
                }
                assert_eq!(sum, BROADCAST_MESSAGES * (BROADCAST_MESSAGES - 1) / 2);
            };
            let tasks = (0..receivers).map(|_| tokio::spawn(body(sender.subscribe()))).collect();
            for i in 0..BROADCAST_MESSAGES {
                sender.send(i).unwrap();
                tokio::task::yield_now().await;
            }
            join_all(tasks).await;
        }
        watch.report("broadcast", receivers * BROADCAST_MESSAGES);
    }
}

pub async fn request(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        let (sender, mut receiver) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(64);
        let server = tokio::spawn(async move {
            while let Some((value, reply)) = receiver.recv().await {
                reply.send(value + 1).unwrap();
            }
        });
        while watch.goes_on() {
            for i in 0..count {
                let (reply, answer) = oneshot::channel();
                sender.send((i, reply)).await.unwrap();
                assert_eq!(answer.await.unwrap(), i + 1);
            }
        }
        watch.report("request", count);
        drop(sender);
        server.await.unwrap();
    }
}
