//! Lines that many write at once.

use serde_json::Value;

use super::talk::Talk;
use super::{Row, Wrong, nothing};
use crate::limits::ACTOR_LINE_MAX_BYTES;
use crate::protocol::Answer;

pub(super) const CHECKS: &[Row] = &[(
    "whole lines",
    nothing,
    whole_lines,
    "an actor writes each reply by one write(2) of at most 4096 bytes, past every buffer",
)];

const ACTOR_COUNT: usize = 4;
const ROUND_COUNT: usize = 200;

fn whole_lines(talk: &mut Talk) -> Result<(), Wrong> {
    let Some(kind) = talk.hello.objects.keys().next().cloned() else { return Ok(()) };
    talk.create("x", &kind)?;
    let way = talk.hello.starts[0];
    let names: Vec<String> = (0..ACTOR_COUNT).map(|place| format!("a{place}")).collect();
    for name in &names {
        talk.actor(name, way, &["x"], Value::Null)?;
    }
    // `hello` may be longer.
    talk.adapter.longest_line_bytes = 0;
    for _ in 0..ROUND_COUNT {
        let calls: Result<Vec<u64>, Wrong> =
            names.iter().map(|name| talk.send_call(name, "x", "no-such-operation")).collect();
        for id in calls? {
            match talk.outcome(id)? {
                Answer::Unsupported => {}
                other => return Err(Wrong(format!("answers an unknown operation with {other:?}"))),
            }
        }
    }
    let longest = talk.adapter.longest_line_bytes + 1;
    if longest > ACTOR_LINE_MAX_BYTES {
        return Err(Wrong(format!("has an actor that writes a line of {longest} bytes")));
    }
    Ok(())
}
