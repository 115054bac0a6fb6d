//! bench/http on tokio: by hand, since hyper is not among Debian's packages for this tokio. It looks for the end of each
//! head and at nothing in it, so it does less than examples/http_server.cpp does. `http THREADS`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut text, mut answers) = (Vec::new(), Vec::new());
    let mut buffer = [0u8; 4096];
    loop {
        let size = stream.read(&mut buffer).await?;
        if size == 0 {
            return Ok(());
        }
        text.extend_from_slice(&buffer[..size]);
        let mut used = 0;
        answers.clear();
        while let Some(end) = text[used..].windows(4).position(|w| w == b"\r\n\r\n") {
            used += end + 4;
            answers.extend_from_slice(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!",
            );
        }
        text.drain(..used);
        stream.write_all(&answers).await?;
    }
}

fn main() {
    let threads: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut builder = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("Listening on {}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream));
        }
    });
}
