//! bench/datagrams on tokio, which sends and receives one at a time: `datagrams one`.

use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

const SIZE: usize = 1000;
const BATCH: usize = 32;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e9 + t.tv_nsec as f64
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let to = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let from = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        from.connect(to.local_addr().unwrap()).await.unwrap();
        let data = [b'x'; SIZE];
        let mut buffer = [0u8; 2048];
        let least = Duration::from_millis(setting("BENCH_MS", 0));
        for _ in 0..setting("BENCH_REPETITIONS", 3) {
            let (began, used) = (Instant::now(), cpu());
            let mut count = 0;
            loop {
                for _ in 0..100 {
                    for _ in 0..BATCH {
                        from.send(&data).await.unwrap();
                    }
                    for _ in 0..BATCH {
                        to.recv_from(&mut buffer).await.unwrap();
                    }
                }
                count += 100 * BATCH;
                if began.elapsed() >= least {
                    break;
                }
            }
            let (wall, used) = (began.elapsed().as_nanos() as f64, cpu() - used);
            println!("RES one {:.1} {:.1} {}", wall / count as f64, used / count as f64, count);
        }
    });
}
