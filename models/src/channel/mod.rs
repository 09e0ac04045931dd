//! The queues of `purlin-channel`: the files that ship, on the words of `purlin-sync` that ship.

mod cell;
mod pace;
mod pages;

/// The words, as they are shipped. In some of them are things that no model uses, but the handles.
macro_rules! channel_word {
    ($name:ident, $path:literal $(, $lint:ident)*) => {
        #[path = $path]
        $(#[expect($lint, reason = "it is for the handles")])*
        mod $name;
    };
}

channel_word!(face, "../../../channel/src/words/face.rs", dead_code);
channel_word!(join, "../../../channel/src/words/join.rs");
channel_word!(position, "../../../channel/src/words/position.rs", dead_code);
channel_word!(queue, "../../../channel/src/words/queue.rs", dead_code, unused_imports);
channel_word!(queue_get, "../../../channel/src/words/queue_get.rs", dead_code);
channel_word!(queue_many, "../../../channel/src/words/queue_many.rs");
channel_word!(queue_place, "../../../channel/src/words/queue_place.rs", dead_code);
channel_word!(queue_put, "../../../channel/src/words/queue_put.rs");
channel_word!(record, "../../../channel/src/words/record.rs");
channel_word!(ring, "../../../channel/src/words/ring.rs");
channel_word!(spins, "../../../channel/src/words/spins.rs");
channel_word!(spsc, "../../../channel/src/words/spsc.rs", dead_code);
channel_word!(spsc_ends, "../../../channel/src/words/spsc_ends.rs");

mod canal;
mod ledger;
mod queue_killed;
mod queue_live;
mod queue_runs;
mod spsc_models;
mod stream;
