//! What a network does: nobody listens, nobody answers, half an answer, another program's answer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How it is broken.
#[derive(Clone, Copy)]
pub(crate) enum Broken {
    /// Connections are refused.
    Down,
    /// Connections are taken and never answered.
    Hangs,
    /// The answer ends in its middle.
    ClosesMidBody,
    /// An error of the server, every time.
    Status500,
    /// An answer of something else, such as a proxy's sign-in page.
    Html,
}

/// Begins to be broken, and says on which port.
pub(crate) async fn listen(broken: Broken) -> u16 {
    if let Broken::Down = broken {
        return closed_port();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, broken));
        }
    });
    port
}

/// A port that is taken, so that nobody else listens there, and on which nothing listens.
fn closed_port() -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    // Bound for as long as the process lives.
    std::mem::forget(socket);
    port
}

async fn answer(mut stream: TcpStream, broken: Broken) {
    let answer = match broken {
        Broken::Down | Broken::Hangs => return std::future::pending().await,
        Broken::ClosesMidBody => {
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"status\":\"approved\","
        }
        Broken::Status500 => {
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"
        }
        Broken::Html => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<p>approved</p>\r\n   "
        }
    };
    // What was asked does not matter, but a client must have been able to send it.
    let mut request = vec![0; 65_536];
    _ = stream.read(&mut request).await;
    _ = stream.write_all(answer.as_bytes()).await;
    _ = stream.shutdown().await;
    // Until the client is done: closing with unread bytes would reset the connection.
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
}
