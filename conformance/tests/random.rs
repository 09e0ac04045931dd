//! Scripts and bursts that nobody wrote down: sound subjects come as the model has it, faulty ones
//! are noticed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::support::{PROGRAM, run};
use purlin_conformance::AdapterCommand;
use purlin_conformance::case::Case;
use purlin_conformance::catalogue::Catalogue;
use purlin_conformance::contract::forms;
use purlin_conformance::model::barrier::BarrierModel;
use purlin_conformance::model::burst::{Burst, BurstEnd, Crowd};
use purlin_conformance::model::call::{Call, Limit, Op};
use purlin_conformance::model::condition::ConditionModel;
use purlin_conformance::model::draw::{self, Draw};
use purlin_conformance::model::event::EventModel;
use purlin_conformance::model::ground::Ground;
use purlin_conformance::model::kind::{GROUPS, Kind, State};
use purlin_conformance::model::linear::explain;
use purlin_conformance::model::lock::{Again, LockModel, Release};
use purlin_conformance::model::observed::Observed;
use purlin_conformance::model::plan::{Move, Plan, What};
use purlin_conformance::model::queue::QueueModel;
use purlin_conformance::model::rlock::RLockModel;
use purlin_conformance::model::semaphore::SemaphoreModel;
use purlin_conformance::model::{Actor, Model};
use purlin_conformance::parse::parse;
use purlin_conformance::protocol::How;
use purlin_conformance::report::random::case;
use purlin_conformance::run::run_script;
use purlin_conformance::suite::Subject;
use purlin_conformance::verdict::Verdict;

/// How many scripts are tried on a faulty lock. The numbers are the same in every run, and what
/// comes of a script is no matter of timing, but for one fault: a limit that is cut short may seem
/// long enough on a busy machine, so not all of the scripts that wait for one notice it there.
const SCRIPTS_FOR_A_FAULT: u64 = 80;

/// Every lock that is wrong in one way. A script of the first so many notices each.
const FAULTS: &[&str] = &[
    "fault-born-suspect",
    "fault-one-for-all",
    "fault-never-blocks",
    "fault-lost-wake",
    "fault-try-takes-nothing",
    "fault-try-always-taken",
    "fault-gives-up-early",
    "fault-timeout-leaves-ticket",
    "fault-zero-never-takes",
    "fault-release-never-refused",
    "fault-release-by-anyone",
    "fault-wake-admits-all",
    "fault-ignores-deaths",
    "fault-death-wakes-nobody",
    "fault-death-admits-all",
    "fault-death-untold",
    "fault-told-but-not-held",
    "fault-forgets-the-warning",
    "fault-warning-stays",
    "fault-waiter-death-poisons",
    "fault-waiter-death-keeps-ticket",
];

const TAKE: Op = Op::Acquire(Limit::None);

/// Bursts in which no timing can hide the fault: what comes of the crowd's first move is looked at
/// alone, or there is one caller only.
const SURE: &[(&str, Crowd, &[&[Op]])] = &[
    ("fault-born-suspect", Crowd::Released, CROWD),
    ("fault-never-blocks", Crowd::Released, CROWD),
    ("fault-lost-wake", Crowd::Released, CROWD),
    ("fault-ignores-deaths", Crowd::Killed, CROWD),
    ("fault-death-wakes-nobody", Crowd::Killed, CROWD),
    ("fault-death-untold", Crowd::Killed, CROWD),
    // Whoever was told next releases what it does not hold, or somebody else was let in before.
    ("fault-told-but-not-held", Crowd::Killed, CROWD),
    // Whoever comes second after the death is told nothing, though nobody has vouched.
    ("fault-forgets-the-warning", Crowd::Killed, CROWD),
    // Whoever comes second after the death is told of it, though the first has vouched.
    ("fault-warning-stays", Crowd::Killed, VOUCHING_CROWD),
    ("fault-try-takes-nothing", Crowd::None, &[&[Op::Try, Op::Try]]),
    ("fault-try-always-taken", Crowd::None, &[&[Op::Try, Op::Try]]),
    ("fault-zero-never-takes", Crowd::None, &[&[Op::Acquire(Limit::Zero)]]),
    ("fault-release-never-refused", Crowd::None, &[&[Op::Release]]),
];

/// Bursts in which two are let in at once. That is told apart from one after the other only if the
/// second's answer comes before the first goes on, and a busy machine may hold it back.
const LIKELY: &[(&str, Crowd, &[&[Op]])] = &[
    ("fault-wake-admits-all", Crowd::Released, CROWD),
    ("fault-death-admits-all", Crowd::Killed, CROWD),
];

/// How many of those it takes at most until one notices.
const BURSTS_FOR_A_FAULT: usize = 20;

const CROWD: &[&[Op]] = &[&[TAKE, Op::Release], &[TAKE, Op::Release], &[TAKE, Op::Release]];
const VOUCHING_CROWD: &[&[Op]] = &[&[TAKE], VOUCHING, VOUCHING];
const VOUCHING: &[Op] = &[TAKE, Op::Recover, Op::Release];

#[test]
fn our_subjects_come_as_the_model_has_it() {
    let subjects = ["purlin-fork", "purlin-spawn", "purlin-threads", "honest-server"];
    let asked = |name| GROUPS.map(|group| (name, group));
    let wrong = in_parallel(subjects.map(asked).as_flattened(), |(name, group)| {
        // Locks come in most forms, and everything else is built on their steps.
        let [scripts, bursts] = if *group == "lock" { ["12", "8"] } else { ["6", "4"] };
        let amount = ["--scripts", scripts, "--bursts", bursts];
        let ran = run(&[&["random", "--subject", name, "--group", group], &amount[..]].concat());
        let count = |text: &str| ran.stdout.matches(text).count();
        let forms_count = count(" seed 1\n") + count(" seed 1, without deaths\n");
        let explained = format!("{bursts} of {bursts} bursts have an order");
        let bursts_count = count(&explained) + count("no bursts:");
        let scripts_count = count(&format!("{scripts} of {scripts} scripts came as the model"));
        let is_good = ran.status == Some(0)
            && forms_count + count("offers no") > 0
            && (scripts_count, bursts_count) == (forms_count, forms_count)
            && count("not offered") == 0;
        (!is_good).then(|| format!("{name} {group}: {}{}", ran.stdout, ran.stderr))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever never sleeps while it waits is no worse.
/// Of two that wait the one holds another object: which of them came first is no secret then.
#[test]
fn who_of_several_holds_something_else_is_told_apart() {
    for (group, seed) in [("lock", "1145"), ("rlock", "1178")] {
        let form = ["--group", group, "--form", group];
        let amount = ["--scripts", "1", "--bursts", "0", "--seed", seed];
        let ran = run(&[&["random", "--subject", "purlin-fork"], &form[..], &amount[..]].concat());
        assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn odd_but_honest_subjects_come_as_the_model_has_it() {
    for name in ["honest-spinner", "honest-poller"] {
        let amount = ["--scripts", "4", "--bursts", "4"];
        let ran = run(&[&["random", "--subject", name, "--group", "lock"], &amount[..]].concat());
        assert_eq!(ran.status, Some(0), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_script_notices_each_fault() {
    let error_kinds = Catalogue::embedded().unwrap().error_kinds;
    let unnoticed = in_parallel(FAULTS, |fault| {
        let (command, ground) = subject(fault);
        let notices = |seed: &u64| {
            let script = draw::plan(&mut Draw::new(*seed), &ground).script(&ground);
            let (outcome, _) = run_script(&command, &script, *seed, &error_kinds);
            match outcome.verdict {
                Verdict::Kept => false,
                Verdict::Broken | Verdict::Hung => true,
                other => panic!("{fault}, seed {seed}: {other:?} {:?}", outcome.stop),
            }
        };
        let first = (1..=SCRIPTS_FOR_A_FAULT).find(notices);
        println!("{fault}: {first:?}");
        first.is_none().then(|| (*fault).to_owned())
    });
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn a_burst_notices_what_no_timing_hides() {
    let unnoticed =
        in_parallel(SURE, |(fault, crowd, lines)| match run_burst(fault, *crowd, lines) {
            BurstEnd::Refused(..) | BurstEnd::Wrong(_) => None,
            other => Some(format!("{fault}: {other}")),
        });
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn some_burst_notices_two_that_are_let_in_at_once() {
    let unnoticed = in_parallel(LIKELY, |(fault, crowd, lines)| {
        for _ in 0..BURSTS_FOR_A_FAULT {
            match run_burst(fault, *crowd, lines) {
                BurstEnd::Refused(..) | BurstEnd::Wrong(_) => return None,
                BurstEnd::Explained(_) => {}
                other => return Some(format!("{fault}: {other}")),
            }
        }
        Some(format!("{fault}: all are explained"))
    });
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

/// Queues that are wrong in one way; a script of the first so many notices each.
const QUEUE_FAULTS: &[&str] = &[
    "fault-lost-wake",
    "fault-waiter-death-keeps-ticket",
    "fault-wake-admits-all",
    "fault-queue-bound-is-more",
    "fault-queue-dead-waiter-locks",
    "fault-queue-dies-with-producer",
    "fault-queue-full-puts",
    "fault-queue-get-keeps",
    "fault-queue-got-comes-back",
    "fault-queue-put-never-waits",
    "fault-queue-swaps",
    "fault-queue-shut-lets-in",
    "fault-queue-shut-drops",
    "fault-queue-shut-keeps",
    "fault-queue-shut-wakes-nobody",
];

/// The same of queues that count tasks.
const JOINABLE_FAULTS: &[&str] = &[
    "fault-queue-join-waits-for-nothing",
    "fault-queue-join-waits-for-mark",
    "fault-queue-get-marks",
    "fault-queue-marks-unlimited",
    "fault-queue-mark-needs-get",
    "fault-queue-mark-wakes-one",
    "fault-queue-refused-counts",
    "fault-queue-waiting-counts",
    "fault-queue-join-takes-away",
    "fault-queue-death-marks",
    "fault-queue-dead-joiner-locks",
];

#[test]
fn a_script_notices_each_fault_of_a_queue() {
    let unnoticed = unnoticed_by_scripts(QUEUE_FAULTS, "queue");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn a_script_notices_each_fault_of_a_joinable_queue() {
    let unnoticed = unnoticed_by_scripts(JOINABLE_FAULTS, "joinable-queue");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

fn unnoticed_by_scripts(faults: &[&str], group: &str) -> Vec<String> {
    let error_kinds = Catalogue::embedded().unwrap().error_kinds;
    in_parallel(faults, |fault| {
        let (command, ground) = subject_of(fault, group);
        let notices = |seed: &u64| {
            let script = draw::plan(&mut Draw::new(*seed), &ground).script(&ground);
            let (outcome, _) = run_script(&command, &script, *seed, &error_kinds);
            matches!(outcome.verdict, Verdict::Broken | Verdict::Hung)
        };
        let first = (1..=SCRIPTS_FOR_A_FAULT).find(notices);
        println!("{fault}: {first:?}");
        first.is_none().then(|| (*fault).to_owned())
    })
}

/// One caller, so that no timing can hide anything; and several, whose calls overlap.
#[test]
fn the_histories_of_a_wrong_queue_have_no_order() {
    let put = |item| Op::Put(item, Limit::None);
    let get = Op::Get(Limit::None);
    let counted = |lines: Vec<Op>| vec![lines];
    let joinable: [(&str, Vec<Vec<Op>>); 4] = [
        ("fault-queue-get-marks", counted(vec![put(1), get, Op::Join(Limit::Zero)])),
        ("fault-queue-marks-unlimited", counted(vec![put(1), Op::TaskDone, Op::TaskDone])),
        ("fault-queue-mark-needs-get", counted(vec![put(1), Op::TaskDone])),
        ("fault-queue-join-waits-for-nothing", counted(vec![put(1), Op::Join(Limit::Zero)])),
    ];
    let alone: [(&str, Vec<Vec<Op>>); 7] = [
        ("fault-queue-shut-lets-in", vec![vec![Op::Shutdown(false), Op::TryPut(1)]]),
        ("fault-queue-shut-drops", vec![vec![put(1), Op::Shutdown(false), get]]),
        ("fault-queue-shut-keeps", vec![vec![put(1), Op::Shutdown(true), get]]),
        ("fault-queue-swaps", vec![vec![put(1), put(2), get, get]]),
        ("fault-queue-get-keeps", vec![vec![put(1), get, Op::TryGet]]),
        ("fault-queue-full-puts", vec![vec![put(1), put(2), Op::TryPut(3), get, get, Op::TryGet]]),
        ("fault-queue-there-later", vec![vec![put(1), Op::TryGet]]),
    ];
    let queues = alone.map(|(fault, lines)| ("queue", fault, lines));
    let joinable = joinable.map(|(fault, lines)| ("joinable-queue", fault, lines));
    for (group, fault, lines) in queues.into_iter().chain(joinable) {
        let run = |name: &str| {
            let (command, ground) = subject_of(name, group);
            let (model, lines) = (ground.model, lines.clone());
            Burst { model, lines, crowd: Crowd::None, kills: Vec::new() }.run(&command, &ground)
        };
        let end = run(fault);
        assert!(matches!(end, BurstEnd::Refused(..)), "{fault}: {end}");
        let end = run("honest-server");
        assert!(matches!(end, BurstEnd::Explained(_)), "{end}");
    }
}

fn run_burst(name: &str, crowd: Crowd, lines: &[&[Op]]) -> BurstEnd {
    let (command, ground) = subject(name);
    let lines = lines.iter().map(|line| line.to_vec()).collect();
    Burst { model: ground.model, lines, crowd, kills: Vec::new() }.run(&command, &ground)
}

/// The same bursts find nothing in a sound lock, so it was the fault that they noticed.
#[test]
fn the_same_bursts_find_a_sound_lock_sound() {
    let wrong = in_parallel(&[SURE, LIKELY].concat(), |(_, crowd, lines)| {
        match run_burst("honest-server", *crowd, lines) {
            BurstEnd::Explained(_) => None,
            other => Some(other.to_string()),
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the runner wrote down of a script is a history, too, and the checker explains it. So the
/// expectations and the histories come from one model, and neither is read wrongly.
#[test]
fn the_history_of_a_script_is_explained() {
    let error_kinds = Catalogue::embedded().unwrap().error_kinds;
    let (command, ground) = subject("purlin-fork");
    let ground = Ground { can_end: false, ..ground };
    for seed in 1..=15 {
        let script = draw::plan(&mut Draw::new(seed), &ground).script(&ground);
        let (outcome, events) = run_script(&command, &script, seed, &error_kinds);
        assert_eq!(outcome.verdict, Verdict::Kept, "{script}{outcome:?}");
        let locks: Vec<String> = script.objects.iter().map(|object| object.name.clone()).collect();
        let observed = Observed::read(&events, &locks, &ground).unwrap();
        for history in observed.histories.values() {
            let calls_count = history.len();
            assert!(explain(&ground.model, history).is_ok(), "{calls_count}: {script}");
        }
    }
}

#[test]
fn a_script_that_is_drawn_is_read_back_from_its_text() {
    let error_kinds = Catalogue::embedded().unwrap().error_kinds;
    for ground in grounds() {
        let mut texts = BTreeSet::new();
        for seed in 0..100 {
            let plan = draw::plan(&mut Draw::new(seed), &ground);
            assert_eq!(plan, plan.pruned(&ground), "seed {seed}");
            let text = plan.script(&ground).to_string();
            let read = parse(&text, &error_kinds).unwrap_or_else(|error| {
                panic!("seed {seed}: {}\n{text}", error.render(&text));
            });
            assert_eq!(read.to_string(), text);
            texts.insert(text);
        }
        assert!(texts.len() > 95, "{ground:?}: only {} are different", texts.len());
    }
}

/// Each call of a kind is drawn, and each that may wait does so, is let in and dies in it.
#[test]
fn what_is_drawn_of_each_kind_is_all_of_it() {
    for ground in grounds() {
        let scripts = (0..400)
            .map(|seed| draw::plan(&mut Draw::new(seed), &ground).script(&ground).to_string());
        let all: String = scripts.collect();
        for word in &ground.operations {
            assert!(all.contains(&format!(".{word}(")), "{}: no {word}", ground.kind);
        }
        for what in ["-> blocked", "kill a when blocked", "a: -> ", "one of ", "fresh "] {
            // Whoever waits for an event, or at a barrier, goes on without a contest.
            let is_contested = !matches!(ground.model, Kind::Event(_) | Kind::Barrier(_));
            let is_drawn = all.contains(what);
            assert_eq!(is_drawn, what != "one of " || is_contested, "{}: {what}", ground.kind);
        }
    }
}

/// A limit bounds a wait from below where it is what breaks the barrier, and not where that was
/// done before: by a death, too, that nobody was there to see.
#[test]
fn only_the_limit_that_breaks_a_barrier_bounds_a_wait() {
    let wait = |slot, limit| {
        let what = What::Call { object: 0, op: Op::Wait(limit) };
        Move { slot, what }
    };
    let kill = Move { slot: 1, what: What::Kill };
    let abort = Move { slot: 1, what: What::Call { object: 0, op: Op::Abort } };
    let short = wait(0, Limit::Short);
    let expected = [
        (vec![short], "barrier-broken after 10ms"),
        (vec![abort, short], "barrier-broken"),
        (vec![wait(1, Limit::None), kill, short], "barrier-broken"),
    ];
    for ground in grounds().into_iter().filter(|ground| ground.kind == "barrier") {
        for (moves, told) in &expected {
            let moves = moves.clone();
            let plan = Plan { model: ground.model, slot_count: 2, object_count: 1, moves };
            let text = plan.script(&ground).to_string();
            let last = format!("a: barrier.wait(timeout=0.01) -> {told}");
            assert_eq!(text.lines().last(), Some(&*last), "{text}");
        }
    }
}

/// Whoever is asked to let others in can do so: a burst goes on asking for as long as they wait.
#[test]
fn who_lets_others_into_a_semaphore_gives_a_unit() {
    let caller = Actor::process(1);
    for (start_count, is_bounded) in (0..3).flat_map(|count| [(count, false), (count, true)]) {
        let model = SemaphoreModel { start_count, is_bounded, is_tracked: false };
        let model = Kind::Semaphore(model);
        let step = |state: &State, op| {
            let next = model.step(state, &Call { by: caller, op });
            next.into_iter().map(|(_, state)| state).next()
        };
        let mut state = model.new_state();
        while let Some(next) = step(&state, TAKE) {
            state = next;
        }
        let can_be_let_in = !is_bounded || start_count > 0;
        let lets_in = model.lets_in(&state);
        assert_eq!(lets_in.is_some(), can_be_let_in, "{model:?}: {lets_in:?}");
        if let Some((_, op)) = lets_in {
            let after = step(&state, op).expect("it can be called");
            assert!(step(&after, TAKE).is_some(), "{model:?}: {op:?} lets nobody in");
        }
    }
}

/// A ground of each kind, which offers all that is drawn.
fn grounds() -> Vec<Ground> {
    let lock = LockModel { release: Release::ByHolder, again: Again::Waits };
    let semaphore = |is_bounded, is_tracked| {
        Kind::Semaphore(SemaphoreModel { start_count: 1, is_bounded, is_tracked })
    };
    let models = [
        Kind::Lock(lock),
        semaphore(false, false),
        semaphore(true, false),
        semaphore(false, true),
        Kind::Event(EventModel),
        Kind::RLock(RLockModel),
        Kind::Condition(ConditionModel),
        Kind::Barrier(BarrierModel { party_count: 2 }),
        Kind::Queue(QueueModel { bound: Some(2), is_joinable: false }),
        Kind::Queue(QueueModel { bound: Some(2), is_joinable: true }),
    ];
    let ground = |model: Kind| {
        let words = model.ops().iter().map(|(_, op)| op.words().0.to_owned());
        let (kind, operations) = (model.group().to_owned(), words.collect());
        let (how, can_end) = (How::Fork, true);
        Ground { model, kind, operations, how, has_deaths: true, can_drop: true, can_end }
    };
    models.into_iter().map(ground).collect()
}

/// The report has the shortest script, and a command that finds it again.
#[test]
fn what_is_found_is_short_and_can_be_repeated() {
    let first =
        run(&["random", "--subject", "fault-try-always-taken", "--group", "lock", "--bursts", "0"]);
    assert_eq!(first.status, Some(1), "{}{}", first.stdout, first.stderr);
    let script = case_of(&first.stdout);
    assert_eq!(script.lines().filter(|line| line.contains("->")).count(), 2, "{script}");
    let again = first.stdout.lines().find_map(|line| line.strip_prefix("again: ")).unwrap();
    let words: Vec<&str> = again.split(' ').skip(1).collect();
    let second = run(&words);
    assert_eq!(second.status, Some(1), "{}{}", second.stdout, second.stderr);
    assert_eq!(case_of(&second.stdout), script);
}

#[test]
fn wrong_words_are_one_clear_line() {
    let wrong: &[(&[&str], &str)] = &[
        (&["random", "--scripts", "many"], "--scripts is \"many\", not a number"),
        (&["random", "--case", "lock/try"], "random has no cases"),
        (&["random", "--group", "pipe"], "the group pipe has no model"),
        (&["random", "--form", "none"], "there is no form `none`"),
        (&["run", "--scripts", "3"], "--scripts"),
    ];
    for (args, what) in wrong {
        let ran = run(args);
        assert_eq!(ran.status, Some(2), "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(what), "{args:?}: {}", ran.stderr);
    }
}

fn case_of(report: &str) -> String {
    let from = report.find("[[case]]").expect("there is a case");
    let to = report.find("\nagain: ").expect("there is a command");
    report[from..to].to_owned()
}

fn subject(name: &str) -> (AdapterCommand, Ground) {
    subject_of(name, "lock")
}

fn subject_of(name: &str, group: &str) -> (AdapterCommand, Ground) {
    let args = vec!["adapter".into(), name.into()];
    let command = AdapterCommand { program: PROGRAM.into(), args, shown: name.to_owned() };
    let subject = Subject::probe(command, "").unwrap();
    let form = &forms(&subject.hello, group)[0];
    let ground = Ground::new(&subject.hello, group, form).unwrap();
    (subject.command, ground)
}

/// Most of a run is waiting, so a few go on side by side.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    const WORKERS_COUNT: usize = 4;
    let next = Mutex::new(items.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS_COUNT {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap().next();
                    let Some(item) = item else { break };
                    found.lock().unwrap().extend(work(item));
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn what_is_printed_is_read_as_a_case() {
    let catalogue = Catalogue::embedded().unwrap();
    for name in ["purlin-fork", "purlin-threads", "posix-fork"] {
        for group in GROUPS {
            let args = vec!["adapter".into(), name.into()];
            let command = AdapterCommand { program: PROGRAM.into(), args, shown: name.to_owned() };
            let hello = Subject::probe(command, "").unwrap().hello;
            for form in &forms(&hello, group) {
                let Ok(ground) = Ground::new(&hello, group, form) else { continue };
                let script = parse("object n: cell\nactors a\na: n.get() -> 0", &BTreeSet::new());
                let printed = case(&format!("{group}/x"), &script.unwrap(), &ground);
                let read = Case::read(group, &printed, &catalogue);
                assert_eq!(read.unwrap_or_else(|error| panic!("{error}\n{printed}")).len(), 1);
            }
        }
    }
}
