//! A line of the protocol, in either direction.

use purlin_conformance::protocol::{Hello, Reply, Request};

/// Reads the input as a line. Says `request` or `reply` for what it is, and `refused` for neither.
///
/// # Panics
/// When a line that was read and written cannot be read again.
pub fn run(data: &[u8]) -> &'static str {
    let request = serde_json::from_slice::<Request>(data);
    let reply = serde_json::from_slice::<Reply>(data);
    let _ = serde_json::from_slice::<Hello>(data);
    if let Ok(request) = &request {
        let line = serde_json::to_string(request).expect("what was read can be written");
        serde_json::from_str::<Request>(&line).expect("what was written can be read");
    }
    if let Ok(reply) = &reply {
        let line = serde_json::to_string(reply).expect("what was read can be written");
        serde_json::from_str::<Reply>(&line).expect("what was written can be read");
    }
    match (request, reply) {
        (Ok(_), _) => "request",
        (_, Ok(_)) => "reply",
        _ => "refused",
    }
}
