//! bench/processes on tokio: `processes one|many`.

use std::time::Instant;
use tokio::process::Command;

const COUNT: usize = 1000;

fn cpu() -> f64 {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) };
    (u.ru_utime.tv_sec + u.ru_stime.tv_sec) as f64 * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) as f64 * 1e3
}

async fn run_one() {
    assert!(Command::new("/bin/true").status().await.unwrap().success());
}

fn main() {
    let how = std::env::args().nth(1).unwrap();
    let turns = std::env::var("BENCH_REPETITIONS").ok().and_then(|v| v.parse().ok()).unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..turns {
        let (began, used) = (Instant::now(), cpu());
        runtime.block_on(async {
            if how == "many" {
                let all: Vec<_> = (0..COUNT).map(|_| tokio::spawn(run_one())).collect();
                for one in all {
                    one.await.unwrap();
                }
            } else {
                for _ in 0..COUNT {
                    run_one().await;
                }
            }
        });
        let (wall, used) = (began.elapsed().as_nanos() as f64, cpu() - used);
        println!("RES {} {:.1} {:.1} {}", how, wall / COUNT as f64, used / COUNT as f64, COUNT);
    }
}
