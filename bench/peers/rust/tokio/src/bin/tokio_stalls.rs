// stall_bench on tokio's multi-thread runtime, see bench/stall_bench.cpp: tokio_stalls WHAT COMPUTE_MS SECONDS_OR_PORT
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Delays = Arc<Mutex<Vec<f64>>>;

fn add(measured: &Delays, due: Instant) {
    let late = Instant::now().saturating_duration_since(due);
    measured.lock().unwrap().push(late.as_nanos() as f64 / 1e3);
}

fn report(what: &str, measured: &Delays) {
    let mut all = measured.lock().unwrap();
    all.sort_by(|a, b| a.total_cmp(b));
    let at = |part: f64| all[((part * all.len() as f64) as usize).min(all.len() - 1)];
    println!(
        "DELAY {} {:.1} {:.1} {:.1} {:.1} {}",
        what,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        all.len()
    );
}

async fn compute(length: Duration, spawns: usize, measured: Delays, end: Instant) {
    while Instant::now() < end {
        let begin = Instant::now();
        for _ in 0..spawns {
            let (measured, spawned) = (measured.clone(), Instant::now());
            tokio::spawn(async move { add(&measured, spawned) });
        }
        while begin.elapsed() < length {}
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn sleep_often(measured: Delays, end: Instant) {
    while Instant::now() < end {
        let due = Instant::now() + Duration::from_millis(1);
        tokio::time::sleep_until(due.into()).await;
        add(&measured, due);
    }
}

async fn answer(mut stream: TcpStream) {
    let mut buffer = [0; 64];
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

async fn serve(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(answer(stream));
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.len() != 4 {
        eprintln!("usage: tokio_stalls timers|ready|outside COMPUTE_MS SECONDS, or echo COMPUTE_MS PORT");
        std::process::exit(2);
    }
    let what = words[1].as_str();
    let length = Duration::from_millis(words[2].parse().expect("a number"));
    let last: u64 = words[3].parse().expect("a number");
    let end = Instant::now() + Duration::from_secs(if what == "echo" { 3600 } else { last });
    let measured = Delays::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if !length.is_zero() || what == "ready" {
        let spawns = if what == "ready" { 8 } else { 0 };
        runtime.spawn(compute(length, spawns, measured.clone(), end));
    }
    if what == "echo" {
        runtime.block_on(async { tokio::spawn(serve(last as u16)).await.unwrap() });
    }
    if what == "timers" {
        for _ in 0..100 {
            runtime.spawn(sleep_often(measured.clone(), end));
        }
    }
    while Instant::now() < end {
        if what == "outside" {
            let (measured, spawned) = (measured.clone(), Instant::now());
            runtime.spawn(async move { add(&measured, spawned) });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(500)); // for the last ones, however late
    report(what, &measured);
    std::process::exit(0);
}
