//! tokio::io::copy_bidirectional as a proxy for peers/copy_load.c: `copy proxy SINK_PORT`; prints its port.

use tokio::net::{TcpListener, TcpStream};

fn main() {
    let sink = std::env::args().last().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        let (mut from, _) = listener.accept().await.unwrap();
        let mut to = TcpStream::connect(format!("127.0.0.1:{sink}")).await.unwrap();
        tokio::io::copy_bidirectional(&mut from, &mut to).await.unwrap();
    });
}
