//! socketioxide on axum and hyper, one thread: the application of app.py and app.mjs, in Rust. Takes the port.

use axum::serve::ListenerExt;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};

async fn on_connect(socket: SocketRef) {
    socket.join("all");
    socket.on("echo", async |socket: SocketRef, Data::<Value>(data)| {
        socket.emit("echo", &data).ok();
    });
    socket.on("ack", async |Data::<Value>(data), answer: AckSender| {
        answer.send(&data).ok();
    });
    socket.on("fan", async |io: SocketIo, Data::<Value>(data)| {
        io.to("all").emit("fan", &data).await.ok();
    });
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args().nth(1).expect("usage: bench-socketioxide PORT");
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", on_connect);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, axum::Router::new().layer(layer)).await.unwrap();
}
