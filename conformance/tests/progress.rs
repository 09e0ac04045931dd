//! The line that a run draws on a terminal, and nowhere else.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::{LIMIT, PROGRAM, has_ended, pidfd, run};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Enough quick cases for some lines.
const CASES: [&str; 12] = [
    "lock/new-is-free",
    "lock/free-taken-at-once",
    "lock/held-waits",
    "lock/guard",
    "lock/guard-fails",
    "lock/try",
    "lock/limit-is-zero",
    "lock/limit-of-a-free-lock",
    "lock/limit-met",
    "lock/release-free",
    "lock/release-twice",
    "lock/release-admits-one",
];

const WIDTH: u16 = 40;

/// Nobody else's terminal, and in nobody else's hands.
const TERMINAL: OpenptFlags =
    OpenptFlags::RDWR.union(OpenptFlags::NOCTTY).union(OpenptFlags::CLOEXEC);

fn choice() -> Vec<&'static str> {
    let cases = CASES.iter().flat_map(|case| ["--case", case]);
    ["run", "--subject", "honest-server"].into_iter().chain(cases).collect()
}

#[test]
fn a_terminal_sees_one_line_that_fits() {
    let mut terminal = File::from(openpt(TERMINAL).unwrap());
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize { ws_row: 24, ws_col: WIDTH, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = OpenOptions::new().write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(choice()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(other);
    let mut child = command.spawn().unwrap();
    drop(command);
    let (done, drawn) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // The last descriptor on the other side is closed: EIO.
        let _ = terminal.read_to_end(&mut bytes);
        let _ = done.send(String::from_utf8(bytes).unwrap());
    });
    let has_ended = has_ended(&pidfd(child.id()).unwrap());
    if !has_ended {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(has_ended && status.success(), "{status}");
    let drawn = drawn.recv_timeout(LIMIT).expect("somebody holds the terminal");
    let lines: Vec<&str> = drawn.split("\r\x1b[K").collect();
    assert!(lines.len() > 10, "{drawn:?}");
    assert_eq!((lines[0], *lines.last().unwrap()), ("", ""), "taken away at the end: {drawn:?}");
    assert!(lines.iter().all(|line| line.chars().count() < usize::from(WIDTH)), "{drawn:?}");
    assert!(lines[1].starts_with("honest-server 1/"), "{drawn:?}");
    assert!(lines.iter().any(|line| line.contains(": 3 kept; now lock/")), "{drawn:?}");
    assert!(!drawn.contains('\n'), "{drawn:?}");
}

#[test]
fn where_no_terminal_is_nothing_is_drawn() {
    let ran = run(&choice());
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
}
