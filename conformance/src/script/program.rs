//! What runs inside an actor, in one request: the words of the request `run`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Arguments;
use crate::protocol::How;

/// Statements, one after the other. The value of a program is the value of its last statement; a
/// statement that fails ends it, and every scope around, with that failure.
pub type Program = Vec<Statement>;

/// On what a call is made: an object, or one of several under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The object's name.
    pub object: String,
    /// Which of them: a number, or the name of a loop's variable. None when it stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Value>,
}

/// What is done when a call fails with a certain kind, instead of failing with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Or {
    /// The error kind.
    pub kind: String,
    /// What is done then.
    pub body: Program,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Statement {
    /// `lock.acquire() or owner-died { … }`
    Call {
        /// On what.
        #[serde(flatten)]
        target: Target,
        /// Which operation.
        op: String,
        /// With what.
        #[serde(default, skip_serializing_if = "Arguments::is_empty")]
        args: Arguments,
        /// Failures that are none here.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        or: Vec<Or>,
    },
    /// `loop 100 { … }`, `loop 10 as n { … }`, `loop { … }` (for ever)
    Loop {
        /// How often; for ever without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
        /// Counts from 0; stands for an index inside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variable: Option<String>,
        /// What.
        body: Program,
    },
    /// `tally 10 as n { many[n].acquire() }`: a loop whose rounds end with an outcome each, `ok` or
    /// an error kind; its value is a map from outcomes to how often each came.
    Tally {
        /// How often.
        count: u64,
        /// Counts from 0; stands for an index inside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variable: Option<String>,
        /// What.
        body: Program,
    },
    /// `with lock { … }`: a guarded scope, however it is left.
    With {
        /// Of what.
        #[serde(flatten)]
        target: Target,
        /// What is done inside.
        body: Program,
    },
    /// `fail`: an error of the user's own, raised in the language's usual way; when it reaches the
    /// end of the program, that fails with `task-failed`.
    Fail,
    /// `pause 1ms`
    Pause {
        /// How long.
        seconds: f64,
    },
    /// `wait`: says `waiting`, and goes on when the runner says `go`.
    Wait,
    /// `check cell == 0`: fails with `task-failed` unless the cell has this value.
    Check {
        /// A cell.
        object: String,
        /// The value that it must have.
        value: i64,
    },
    /// `cell == 4`: whether the cell has this value.
    Equals {
        /// A cell.
        object: String,
        /// The value that it may have.
        value: i64,
    },
    /// `fork b`: the platform's bare fork call. The parent goes on. The child leaves all scopes
    /// around, without running what is left of them, and then is the actor `b`.
    Fork {
        /// The child's name.
        name: String,
    },
    /// `start b`, `start b by spawn`: a child by the subject's own means of starting processes.
    Start {
        /// The child's name.
        name: String,
        /// How; in the usual way without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<How>,
    },
    /// `thread t`: a thread of this process that takes calls.
    Thread {
        /// Its name.
        name: String,
    },
    /// `make lock`: makes an object that `object lock: lock made by a` declares.
    Make {
        /// Its name.
        object: String,
        /// What it is.
        kind: String,
        /// How it is made.
        #[serde(default, skip_serializing_if = "Arguments::is_empty")]
        args: Arguments,
        /// How many of it are made under this name; one without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
    },
    /// `drop lock`: lets go of this actor's last handle.
    Drop {
        /// Of what.
        object: String,
    },
    /// `exit 3`: the process ends at once, without any clean-up (`_exit`).
    Exit {
        /// The status.
        code: i32,
    },
    /// `end`: the actor's main function returns, as at the end of any program. In a thread: the
    /// thread ends.
    End,
    /// `end thread`: the thread that takes the calls ends, be it the main thread; the process and
    /// its other threads go on.
    EndThread,
    /// `abort`: ends by SIGABRT, without a core dump.
    Abort,
    /// `crash`: touches memory that is not there, without a core dump.
    Crash,
    /// `exec`: executes another program in its place, which says so (`returned`) and idles.
    Exec,
    /// `catch`: a handler that does nothing for SIGUSR1, which does not restart calls.
    Catch,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Ask, Request};

    /// The form on the line is what adapters in other languages read.
    #[test]
    fn a_program_is_read_back_from_its_line() {
        let line = concat!(
            r#"{"id":7,"request":"run","actor":"a","program":["#,
            r#"{"do":"loop","count":10,"variable":"n","body":["#,
            r#"{"do":"call","object":"many","index":"n","op":"acquire","args":{"timeout":0.05},"#,
            r#""or":[{"kind":"owner-died","body":[{"do":"fail"}]}]}]},"#,
            r#"{"do":"start","name":"b","how":"spawn"},{"do":"end-thread"}]}"#,
        );
        let request: Request = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        let Ask::Run { program, .. } = request.ask else { panic!() };
        assert_eq!(program[2], Statement::EndThread);
    }
}
