//! What was asked on the command line.

use std::ffi::OsString;

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;
use purlin_conformance::limits::{JOBS_COUNT, JOBS_MAX_COUNT, REPEAT_MAX_COUNT};
use purlin_conformance::nearest::did_you_mean;
use purlin_conformance::suite::Plan;
use purlin_conformance::workers::WORD;

use crate::random::RandomOrder;

/// What to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Run the suite.
    Run(RunOrder),
    /// List the catalogue.
    List { group: Option<String>, asked: Listed },
    /// Say what the documents get wrong.
    Errata { group: Option<String> },
    /// Ask what nobody wrote down.
    Random(RandomOrder),
    /// Say all about one behaviour or case.
    Explain(String),
    /// Say what is wrong with an adapter.
    CheckAdapter(Vec<OsString>),
    /// Be an adapter of the program's own.
    Adapter(Vec<String>),
    /// Ask cases of this adapter for another process of this program.
    Ask(Vec<OsString>),
    /// Say how it is used.
    Help,
    /// Say which version it is.
    Version,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Behaviours, with the cases that show them.
    All,
    /// What no case shows.
    Untested,
    /// Which kinds of evidence stand behind each behaviour.
    Evidence,
    /// Which cases each fault brings down.
    Faults,
}

/// What to run.
#[derive(Debug, Default)]
pub(crate) struct RunOrder {
    pub(crate) subjects: Vec<String>,
    pub(crate) plan: Plan,
    /// How often.
    pub(crate) repeat: u64,
    pub(crate) files: Files,
    /// The file of what is known of somebody else's adapter.
    pub(crate) expect: Option<String>,
    /// Somebody else's adapter.
    pub(crate) command: Vec<OsString>,
}

/// Where reports go besides standard output.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) json: Option<String>,
    pub(crate) junit: Option<String>,
    pub(crate) html: Option<String>,
}

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Which promises of inter-process primitives does an implementation keep?

  purlin-conformance [run] [OPTION]…      every subject found here, all groups, or what is chosen
  purlin-conformance run [OPTION]… -- COMMAND…
                                          somebody else's implementation
  purlin-conformance list [OPTION]…       the catalogue, and which cases show it
  purlin-conformance explain ID           all about one behaviour or case, without a run
  purlin-conformance errata [--group G]   what the documents get wrong, and what says it right
  purlin-conformance random [OPTION]… [-- COMMAND…]
                                          what nobody wrote down: scripts and bursts of calls,
                                          drawn from the seed and held against a model
  purlin-conformance check-adapter -- COMMAND…
                                          what is wrong with an adapter itself

  --subject NAME   purlin-fork, or all of purlin; may be repeated
  --group NAME     one group of the catalogue; may be repeated
  --case ID        one case, such as lock/held-waits; may be repeated
  --behaviour ID   the cases that show it; may be repeated
  --form KIND      one form of what a group is about, such as handover-lock; may be repeated
  --seed N         what random times are drawn from; 1 without it
  --jobs N         (run) so many cases side by side, 8 without it; fewer than 20 go in turn
  --repeat N       (run) all of it N times, from N seeds in a row; what does not come the same
                   each time is told, and fails the run
  --json FILE      (run) one line a verdict, for programs
  --junit FILE     (run) a test a case, as XML, for services that build and test
  --html FILE      (run) a page for people: subjects side by side, each deviation with its script
  --expect FILE    (with a command) what is known of it, as in conformance/expect
  --untested       (list) only what no case shows
  --evidence       (list) what stands behind each: cases, faults, a model, loom; and the gaps
  --faults         (list) which cases each subject that is wrong on purpose must be noticed by
  --scripts N, --bursts N, --without-deaths
                   (random) so many of each, 200 and 100 without it; nobody dies
  --help, --version

PURLIN_PATIENCE=N in the environment multiplies every time after which the suite gives up.
PURLIN_CPYTHON_GROUPS=G,G names the groups that CPython is asked about where none are chosen;
all of them take minutes.
PURLIN_CASES=FILE:FILE names files of cases, such as cases/event.toml, that are read anew instead of
those that the program was built with.
Exit status: 0 all kept, or as expected; 1 a promise is broken; 2 the suite could not run.
";

/// Reads the arguments.
///
/// # Errors
/// * What is wrong with them, in one line.
pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Order, String> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut parser = lexopt::Parser::from_args(&args);
    let first = parser.next().map_err(|error| error.to_string())?;
    let order = match first {
        None => run(&mut parser),
        // Without a command the options are those of `run`.
        Some(Long(option)) if !["help", "version"].contains(&option) => {
            run(&mut lexopt::Parser::from_args(&args))
        }
        Some(Long("help") | Short('h')) => return Ok(Order::Help),
        Some(Long("version") | Short('V')) => return Ok(Order::Version),
        Some(Value(word)) => match word.to_str() {
            Some("run") => run(&mut parser),
            Some("random") => random(&mut parser),
            Some("list") => list(&mut parser),
            Some("explain") => explain(&mut parser),
            Some("errata") => errata(&mut parser),
            Some("check-adapter") => check_adapter(&mut parser),
            Some("adapter") => adapter(&mut parser),
            Some(WORD) => worker(&mut parser),
            _ => {
                let nearest = did_you_mean(&word.to_string_lossy(), COMMANDS.iter().copied());
                return Err(format!("unknown command {word:?}; see --help{nearest}"));
            }
        },
        Some(other) => Err(unexpected(other)),
    };
    order.map_err(|error| error.to_string())
}

fn run(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let mut order = RunOrder::default();
    Ok(options(parser, &mut order, None)?.unwrap_or(Order::Run(order)))
}

fn random(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let (mut random, mut order) = (RandomOrder::default(), RunOrder::default());
    if let Some(other) = options(parser, &mut order, Some(&mut random))? {
        return Ok(other);
    }
    let selection = &order.plan.selection;
    if !selection.cases.is_empty() || !selection.behaviours.is_empty() || order.files.is_some() {
        return Err("random has no cases, and no --json, --junit or --html".into());
    }
    Ok(Order::Random(RandomOrder { run: order, ..random }))
}

fn jobs_count(jobs: &str) -> Result<usize, String> {
    let count = jobs.parse().ok().filter(|count| (1..=JOBS_MAX_COUNT).contains(count));
    count.ok_or_else(|| format!("--jobs is {jobs:?}, not a number from 1 to {JOBS_MAX_COUNT}"))
}

fn repeat_count(repeat: &str) -> Result<u64, String> {
    let count = repeat.parse().ok().filter(|count| (1..=REPEAT_MAX_COUNT).contains(count));
    count
        .ok_or_else(|| format!("--repeat is {repeat:?}, not a number from 1 to {REPEAT_MAX_COUNT}"))
}

impl Files {
    const fn is_some(&self) -> bool {
        self.json.is_some() || self.junit.is_some() || self.html.is_some()
    }
}

/// The options of `run` and `random`; another order when they ask for one.
fn options(
    parser: &mut lexopt::Parser,
    order: &mut RunOrder,
    mut random: Option<&mut RandomOrder>,
) -> Result<Option<Order>, lexopt::Error> {
    let (mut seed, mut jobs, mut repeat) = (None, None, None);
    loop {
        let selection = &mut order.plan.selection;
        // Behind `--` everything belongs to somebody else's command, also what looks like ours.
        if let Some(rest) = parser.try_raw_args().filter(|rest| rest.peek() == Some("--".as_ref()))
        {
            order.command = rest.skip(1).collect();
            if order.command.is_empty() {
                return Err("a command is missing behind `--`".into());
            }
            break;
        }
        match parser.next()? {
            Some(Long("subject")) => order.subjects.push(parser.value()?.string()?),
            Some(Long("group")) => selection.groups.push(parser.value()?.string()?),
            Some(Long("case")) => selection.cases.push(parser.value()?.string()?),
            Some(Long("behaviour")) => selection.behaviours.push(parser.value()?.string()?),
            Some(Long("form")) => selection.forms.push(parser.value()?.string()?),
            Some(Long("seed")) => once(&mut seed, "--seed", parser)?,
            Some(Long("jobs")) if random.is_none() => once(&mut jobs, "--jobs", parser)?,
            Some(Long("json")) => once(&mut order.files.json, "--json", parser)?,
            Some(Long("junit")) => once(&mut order.files.junit, "--junit", parser)?,
            Some(Long("html")) => once(&mut order.files.html, "--html", parser)?,
            Some(Long("repeat")) if random.is_none() => once(&mut repeat, "--repeat", parser)?,
            Some(Long("expect")) => once(&mut order.expect, "--expect", parser)?,
            Some(Long("help") | Short('h')) => return Ok(Some(Order::Help)),
            Some(Long("version") | Short('V')) => return Ok(Some(Order::Version)),
            Some(Long(option @ ("scripts" | "bursts" | "without-deaths"))) if random.is_some() => {
                let option = option.to_owned();
                if let Some(random) = &mut random {
                    random.take(&option, parser)?;
                }
            }
            Some(other) => return Err(unexpected(other)),
            None => break,
        }
    }
    let jobs = jobs.map_or(Ok(JOBS_COUNT), |jobs| jobs_count(&jobs));
    order.plan.jobs = jobs?;
    order.repeat = repeat.map_or(Ok(1), |repeat| repeat_count(&repeat))?;
    if let Some(seed) = seed {
        order.plan.seed = seed.parse().map_err(|_| format!("--seed is {seed:?}, not a number"))?;
    }
    if order.command.is_empty() && order.expect.is_some() {
        return Err("--expect is for a command of your own; our lists are known".into());
    }
    if !order.command.is_empty() && !order.subjects.is_empty() {
        return Err("either --subject or a command of your own".into());
    }
    Ok(None)
}

fn list(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let (mut group, mut asked) = (None, Listed::All);
    while let Some(arg) = parser.next()? {
        let wanted = match arg {
            Long("untested") => Listed::Untested,
            Long("evidence") => Listed::Evidence,
            Long("faults") => Listed::Faults,
            Long("group") => {
                once(&mut group, "--group", parser)?;
                continue;
            }
            Long("help") | Short('h') => return Ok(Order::Help),
            Long("version") | Short('V') => return Ok(Order::Version),
            other => return Err(unexpected(other)),
        };
        if asked != Listed::All && asked != wanted {
            return Err("either --untested, --evidence or --faults".into());
        }
        asked = wanted;
    }
    Ok(Order::List { group, asked })
}

fn errata(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let mut group = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("group") => once(&mut group, "--group", parser)?,
            Long("help") | Short('h') => return Ok(Order::Help),
            Long("version") | Short('V') => return Ok(Order::Version),
            other => return Err(unexpected(other)),
        }
    }
    Ok(Order::Errata { group })
}

fn explain(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let mut id = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Value(word) if id.is_none() => id = Some(word.string()?),
            Long("help") | Short('h') => return Ok(Order::Help),
            Long("version") | Short('V') => return Ok(Order::Version),
            other => return Err(unexpected(other)),
        }
    }
    id.map(Order::Explain).ok_or_else(|| "explain needs the id of a behaviour or a case".into())
}

/// What nobody expects, with what was perhaps meant.
fn unexpected(arg: lexopt::Arg<'_>) -> lexopt::Error {
    let nearest = match arg {
        Long(option) if OPTIONS.iter().any(|known| known[2..] == *option) => {
            return format!("--{option} is an option of another command; see --help").into();
        }
        Long(option) => did_you_mean(&format!("--{option}"), OPTIONS.iter().copied()),
        _ => String::new(),
    };
    if nearest.is_empty() {
        return arg.unexpected();
    }
    format!("{}{nearest}", arg.unexpected()).into()
}

const COMMANDS: &[&str] =
    &["run", "random", "list", "explain", "errata", "check-adapter", "adapter"];
const OPTIONS: &[&str] = &[
    "--subject",
    "--group",
    "--case",
    "--behaviour",
    "--form",
    "--seed",
    "--jobs",
    "--repeat",
    "--json",
    "--junit",
    "--html",
    "--expect",
    "--untested",
    "--evidence",
    "--faults",
    "--scripts",
    "--bursts",
    "--without-deaths",
    "--help",
    "--version",
];

/// The value of an option that makes sense once, and never empty.
fn once(
    place: &mut Option<String>,
    option: &str,
    parser: &mut lexopt::Parser,
) -> Result<(), lexopt::Error> {
    let value = parser.value()?.string()?;
    if value.is_empty() {
        return Err(format!("{option} is empty; see --help").into());
    }
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is given twice").into()),
    }
}

fn check_adapter(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    // Behind `--` everything belongs to somebody else's command.
    match parser.try_raw_args().filter(|rest| rest.peek() == Some("--".as_ref())) {
        Some(rest) => {
            let command: Vec<OsString> = rest.skip(1).collect();
            if command.is_empty() {
                return Err("a command is missing behind `--`".into());
            }
            Ok(Order::CheckAdapter(command))
        }
        None => match parser.next()? {
            Some(Long("help") | Short('h')) => Ok(Order::Help),
            Some(Value(word)) => {
                let word = word.to_string_lossy();
                Err(format!("the command stands behind `--`: `check-adapter -- {word} …`").into())
            }
            Some(other) => Err(other.unexpected()),
            None => Err("`check-adapter -- COMMAND…` needs a command".into()),
        },
    }
}

fn worker(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    // Behind `--`.
    Ok(Order::Ask(parser.raw_args()?.skip(1).collect()))
}

fn adapter(parser: &mut lexopt::Parser) -> Result<Order, lexopt::Error> {
    let words: Result<Vec<String>, _> = parser.raw_args()?.map(ValueExt::string).collect();
    Ok(Order::Adapter(words?))
}
