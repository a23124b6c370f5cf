//! The ceiling of the HTTP stack: a poem server that answers 600 fixed bytes, about a small Patient.

use poem::listener::TcpListener;
use poem::{Response, Route, Server, get, handler};

#[handler]
fn hello() -> Response {
    Response::builder().content_type("application/fhir+json").body(vec![b'x'; 600])
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    Server::new(TcpListener::bind("127.0.0.1:8099")).run(Route::new().at("/hello", get(hello))).await
}
