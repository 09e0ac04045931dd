//! What comes from others, as bytes: the functions that the fuzzer runs, over what is checked in
//! for it, and over random damage to that.
//!
//! A seed's name begins with the word that its run ends with. What a run of the fuzzer has found
//! and left in the folder has a hash for a name, and only has to be survived.
//! `PROPTEST_CASES=100000` makes it a long run.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

#[path = "../../fuzz/src/lib.rs"]
pub mod fuzz;

/// One input takes less than a millisecond; one that takes as long as this does not end.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_file_that_claims_to_be_a_segment_is_refused_or_survived() {
    hold("segment", fuzz::segment::run);
}

#[test]
fn luggage_that_nobody_packed_is_refused_or_survived() {
    hold("luggage", fuzz::luggage::run);
}

#[test]
fn a_message_that_claims_to_be_a_handover_is_refused_or_survived() {
    hold("handover", fuzz::handover::run);
}

#[test]
fn a_queue_that_a_peer_writes_over_is_told_or_survived() {
    hold("ring", fuzz::ring::run);
}

#[test]
fn a_message_that_no_pipe_has_sent_is_refused_or_survived() {
    hold("frame", fuzz::frame::run);
}

#[test]
fn any_text_is_a_script_or_a_mistake() {
    hold("script", fuzz::script::run);
}

#[test]
fn any_line_is_of_the_protocol_or_refused() {
    hold("line", fuzz::line::run);
}

/// Runs every seed as it is, then random damage to them, and fails at an input that does not end.
fn hold(target: &'static str, run: fn(&[u8]) -> &'static str) {
    let (begins, begun) = mpsc::channel();
    let announced = move |bytes: &[u8]| {
        let _ = begins.send(bytes.to_vec());
        run(bytes)
    };
    let runs = std::thread::spawn(move || run_all(target, announced));
    let mut last = Vec::new();
    loop {
        match begun.recv_timeout(LIMIT) {
            Ok(bytes) => last = bytes,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{target}: does not end: {last:?}"),
        }
    }
    runs.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn run_all(target: &str, run: impl Fn(&[u8]) -> &'static str) {
    let seeds = seeds(target);
    assert!(seeds.len() >= 10, "{target}: the seeds were not found");
    let others: Vec<String> = seeds.iter().filter_map(|seed| ends_otherwise(seed, &run)).collect();
    assert!(others.is_empty(), "{target}: seeds that end otherwise:\n{}", others.join("\n"));
    let spoilt = damage().prop_map(|damage| spoil(&seeds, &damage));
    let survived = TestRunner::default().run(&spoilt, |bytes| {
        run(&bytes);
        Ok(())
    });
    survived.unwrap_or_else(|error| panic!("{target}: {error}"));
}

/// The name and the end of a seed whose name says something else.
fn ends_otherwise(
    (name, bytes): &(String, Vec<u8>),
    run: impl Fn(&[u8]) -> &'static str,
) -> Option<String> {
    let came = run(bytes);
    let is_found = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_so = is_found || name.starts_with(&format!("{came}-"));
    (!is_so).then(|| format!("{name}: {came}"))
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("the corpus");
    let mut seeds: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("a seed"))
        })
        .collect();
    seeds.sort();
    seeds
}

/// What is done to a seed.
#[derive(Clone, Debug)]
struct Damage {
    seed: Index,
    /// Bytes that are put in the place of others.
    edits: Vec<(Index, u8)>,
    /// Where it is cut off, and with what other seed's end it goes on.
    splice: Option<(Index, Index)>,
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![Just(0), Just(0xff), any::<u8>()];
    let edits = proptest::collection::vec((any::<Index>(), byte), 0..8);
    let splice = proptest::option::of((any::<Index>(), any::<Index>()));
    (any::<Index>(), edits, splice).prop_map(|(seed, edits, splice)| Damage { seed, edits, splice })
}

fn spoil(seeds: &[(String, Vec<u8>)], damage: &Damage) -> Vec<u8> {
    let mut bytes = damage.seed.get(seeds).1.clone();
    if let Some((cut, other)) = &damage.splice {
        let end = &other.get(seeds).1;
        bytes.truncate(cut.index(bytes.len() + 1));
        bytes.extend_from_slice(&end[bytes.len().min(end.len())..]);
    }
    if bytes.is_empty() {
        return bytes;
    }
    for (at, byte) in &damage.edits {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes
}
