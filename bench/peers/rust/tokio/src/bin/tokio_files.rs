// fs_bench on tokio's multi-thread runtime, with two workers: tokio_files FOLDER, which is made, and removed at the end.
use std::io::SeekFrom;
use std::time::Instant;

use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

const READS: u64 = 100_000;
const SMALL_FILES: u64 = 10_000;
const LARGE: u64 = 256 << 20;
const PIECE: usize = 128 * 1024;

fn cpu_ns() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let ns = |t: libc::timeval| t.tv_sec as f64 * 1e9 + t.tv_usec as f64 * 1e3;
    ns(usage.ru_utime) + ns(usage.ru_stime)
}

fn report(name: &str, begun: Instant, cpu: f64, count: u64) {
    let wall = begun.elapsed().as_nanos() as f64 / count as f64;
    println!(
        "RES {} {:.1} {:.1} {}",
        name,
        wall,
        (cpu_ns() - cpu) / count as f64,
        count
    );
}

fn next_place(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*state >> 33) % (LARGE / 4096) * 4096
}

// A file of tokio's has one position: each reader has a file of its own.
async fn some_reads(name: String, count: u64, mut seed: u64) {
    let mut file = File::open(name).await.unwrap();
    let mut page = [0u8; 4096];
    for _ in 0..count {
        file.seek(SeekFrom::Start(next_place(&mut seed)))
            .await
            .unwrap();
        file.read_exact(&mut page).await.unwrap();
    }
}

async fn some_small(top: String, first: u64, step: usize) {
    let mut buffer = [0u8; 4096];
    for i in (first..SMALL_FILES).step_by(step) {
        let mut file = File::open(format!("{top}/small/{i}")).await.unwrap();
        file.read(&mut buffer).await.unwrap();
    }
}

async fn run(top: String) {
    fs::create_dir_all(format!("{top}/small")).await.unwrap();
    let name = format!("{top}/large");
    let mut piece = vec![b'x'; PIECE];
    for _ in 0..2 {
        let (begun, cpu) = (Instant::now(), cpu_ns());
        let mut out = File::create(&name).await.unwrap();
        for _ in 0..LARGE / PIECE as u64 {
            out.write_all(&piece).await.unwrap();
        }
        out.flush().await.unwrap();
        report("stream_write_tokio", begun, cpu, LARGE / PIECE as u64);
        let (begun, cpu) = (Instant::now(), cpu_ns());
        let mut file = File::open(&name).await.unwrap();
        while file.read(&mut piece).await.unwrap() > 0 {}
        report("stream_read_tokio", begun, cpu, LARGE / PIECE as u64);
    }
    for depth in [1, 64, 512] {
        let (begun, cpu) = (Instant::now(), cpu_ns());
        let all: Vec<_> = (0..depth)
            .map(|i| tokio::spawn(some_reads(name.clone(), READS / depth, i)))
            .collect();
        for one in all {
            one.await.unwrap();
        }
        report(&format!("read_4k_tokio_depth_{depth}"), begun, cpu, READS);
    }
    for i in 0..SMALL_FILES {
        fs::write(format!("{top}/small/{i}"), [b'x'; 100])
            .await
            .unwrap();
    }
    for depth in [1, 64] {
        let (begun, cpu) = (Instant::now(), cpu_ns());
        let all: Vec<_> = (0..depth)
            .map(|i| tokio::spawn(some_small(top.clone(), i, depth as usize)))
            .collect();
        for one in all {
            one.await.unwrap();
        }
        report(&format!("small_tokio_{depth}"), begun, cpu, SMALL_FILES);
    }
    let (begun, cpu) = (Instant::now(), cpu_ns());
    for i in 0..SMALL_FILES {
        assert_eq!(
            fs::read(format!("{top}/small/{i}")).await.unwrap().len(),
            100
        );
    }
    report("small_tokio_whole", begun, cpu, SMALL_FILES);
    fs::remove_dir_all(top).await.unwrap();
}

fn main() {
    let top = std::env::args().nth(1).expect("tokio_files FOLDER");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async { tokio::spawn(run(top)).await.expect("the benchmark") });
}
