//! What the Rust programs share: arguments, stopwatch, and the benchmarks' own arithmetic. See ../../../report.hpp.
use std::time::{Duration, Instant};

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Each program repeats its work this often in one process.
pub fn repetitions() -> u64 {
    setting("BENCH_REPETITIONS", 3)
}

/// The argument `index` after BENCH, counted from 0.
pub fn argument(index: usize, otherwise: u64) -> u64 {
    std::env::args()
        .nth(3 + index)
        .map_or(otherwise, |text| text.parse().expect("a number"))
}

/// THREADS and BENCH of the command line.
pub fn threads_and_bench() -> (usize, String) {
    let mut words = std::env::args().skip(1);
    match (
        words.next().and_then(|word| word.parse::<usize>().ok()),
        words.next(),
    ) {
        (Some(threads), Some(name)) => (threads, name),
        _ => {
            eprintln!("usage: PROGRAM THREADS BENCH [ARGS]");
            std::process::exit(2);
        }
    }
}

pub fn no_such_benchmark(name: &str) -> ! {
    eprintln!("no such benchmark: {}", name);
    std::process::exit(2);
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

/// One repetition: `while watch.goes_on() { work }`, then report.
pub struct Stopwatch {
    cpu: f64,
    wall: Instant,
    shortest: Duration,
    times: u64,
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch {
            shortest: Duration::from_millis(setting("BENCH_MS", 0)),
            times: 0,
            cpu: cpu_ns(),
            wall: Instant::now(),
        }
    }

    /// True the first time, and as long as the repetition is too short.
    pub fn goes_on(&mut self) -> bool {
        self.times += 1;
        self.times == 1 || self.wall.elapsed() < self.shortest
    }

    /// `operations` is what one time of the work does.
    pub fn report(self, name: &str, operations: u64) {
        let wall = self.wall.elapsed().as_nanos() as f64;
        let cpu = cpu_ns() - self.cpu;
        let operations = operations * self.times.saturating_sub(1).max(1);
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

/// Resident memory that is added from here on.
pub struct Memory(f64);

impl Memory {
    pub fn now() -> Self {
        Memory(resident_bytes())
    }

    pub fn report(self, count: u64) {
        let bytes = resident_bytes() - self.0;
        println!("MEM mem {:.1} {}", bytes / count as f64, count);
    }
}

/// Of so many uses of the readers-writer lock one writes.
pub const READS_FOR_A_WRITE: u64 = 100;

pub fn writes_of(count: u64) -> u64 {
    (count + READS_FOR_A_WRITE - 1) / READS_FOR_A_WRITE
}

pub const BROADCAST_MESSAGES: u64 = 100;

pub fn fib_calls(n: u64) -> u64 {
    if n < 2 {
        1
    } else {
        1 + fib_calls(n - 1) + fib_calls(n - 2)
    }
}

pub fn plain_fib(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        plain_fib(n - 1) + plain_fib(n - 2)
    }
}

pub const SKYNET_TASKS: u64 = 1_111_111;
pub const SKYNET_LEAVES: u64 = 1_000_000;
pub const SKYNET_SUM: u64 = 499_999_500_000;

/// The rest of an n-queens board: each bit a column or diagonal that is taken.
#[derive(Clone, Copy, Default)]
pub struct Board {
    columns: u32,
    left: u32,
    right: u32,
}

pub const QUEENS_SIZE: u32 = 10;
pub const QUEENS_SOLUTIONS: u64 = 724;
pub const QUEENS_TASKS: u64 = 35_539;
const FULL: u32 = (1 << QUEENS_SIZE) - 1;

impl Board {
    pub fn is_full(&self) -> bool {
        self.columns == FULL
    }

    /// The boards with one more queen in the next row.
    pub fn next_boards(self) -> impl Iterator<Item = Board> + Send {
        let mut free = FULL & !(self.columns | self.left | self.right);
        std::iter::from_fn(move || {
            if free == 0 {
                return None;
            }
            let queen = free & free.wrapping_neg();
            free &= free - 1;
            Some(Board {
                columns: self.columns | queen,
                left: (self.left | queen) << 1,
                right: (self.right | queen) >> 1,
            })
        })
    }
}

/// The same delays in every program: 1 to 1000 ms.
pub struct Delays(u64);

impl Delays {
    pub fn new() -> Self {
        Delays(0x2545f4914f6cdd1d)
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(Duration::from_millis(1 + self.0 % 1000))
    }
}
