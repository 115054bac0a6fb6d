// What tasks wait in for each other, beside channels: see ../../../../waiting_bench.cpp for what each does.
use shared::*;
use std::sync::Arc;
use async_std::channel;
use async_std::sync::RwLock;

async fn join_all(tasks: Vec<async_std::task::JoinHandle<()>>) {
    for task in tasks {
        task.await;
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
            join_all((0..4).map(|_| async_std::task::spawn(body(lock.clone()))).collect()).await;
            assert_eq!(*lock.read().await, 4 * writes_of(count));
        }
        watch.report("rwlock", 4 * count);
    }
}

pub async fn request(count: u64) {
    for _ in 0..repetitions() {
        let mut watch = Stopwatch::start();
        let (sender, receiver) = channel::bounded::<(u64, channel::Sender<u64>)>(64);
        let server = async_std::task::spawn(async move {
            while let Ok((value, reply)) = receiver.recv().await {
                reply.send(value + 1).await.unwrap();
            }
        });
        while watch.goes_on() {
            for i in 0..count {
                let (reply, answer) = channel::bounded(1);
                sender.send((i, reply)).await.unwrap();
                assert_eq!(answer.recv().await.unwrap(), i + 1);
            }
        }
        watch.report("request", count);
        drop(sender);
        server.await;
    }
}
