//! What came of scripts and bursts that were drawn.

use std::fmt::Write as _;

use super::plain::{in_line, plain};
use crate::catalogue::{Behaviour, Catalogue};
use crate::model::burst::BurstEnd;
use crate::model::ground::Ground;
use crate::model::random::{Amount, Came, WrongBurst, WrongScript};
use crate::protocol::Hello;
use crate::script::Script;

/// One subject's form, and what came of it.
pub struct Asked<'a> {
    /// Who was asked.
    pub hello: &'a Hello,
    /// The form.
    pub ground: &'a Ground,
    /// How much.
    pub amount: Amount,
    /// What came.
    pub came: Came,
    /// The command that asks this form again, before and behind the amount.
    pub again: [String; 2],
    /// The calls that were left out.
    pub left_out: Vec<&'a str>,
}

/// The text for people.
#[must_use]
pub fn random(asked: &Asked<'_>) -> String {
    let Asked { hello, ground, amount, came, again, left_out } = asked;
    let (name, sides) = (in_line(&hello.name), ground.model.sides().join(", "));
    let mut text = format!("{name}  {}  ", in_line(&ground.kind));
    if !sides.is_empty() {
        let _ = write!(text, "{sides}, ");
    }
    let _ = write!(text, "seed {}", amount.seed);
    if !ground.has_deaths {
        text.push_str(", without deaths");
    }
    for op in left_out {
        let _ = write!(text, ", without {op}");
    }
    let Came { scripts_count, steps_count, bursts_count, events_count, .. } = came;
    let _ = writeln!(
        text,
        "\n    {scripts_count} of {} scripts came as the model has it ({steps_count} steps)",
        amount.scripts_count
    );
    if ground.model.has_bursts() {
        let _ = writeln!(
            text,
            "    {bursts_count} of {} bursts have an order that explains them ({events_count} \
             calls and deaths)",
            amount.bursts_count
        );
    } else {
        let _ = writeln!(text, "    no bursts: such a wait takes effect at more than one point");
    }
    if came.unsupported_count > 0 {
        let _ = writeln!(text, "    {} were not offered", came.unsupported_count);
    }
    if let Some(wrong) = &came.script {
        text.push_str(&script(wrong, ground, again));
    }
    if let Some(wrong) = &came.burst {
        text.push_str(&burst(wrong, again));
    }
    text
}

fn script(wrong: &WrongScript, ground: &Ground, again: &[String; 2]) -> String {
    let WrongScript { seed, script, outcome, tries_count } = wrong;
    let detail = outcome.stop.as_ref().map_or_else(String::new, |stop| stop.detail());
    let mut text = format!("\n{}: {}\n", outcome.verdict.slug(), in_line(&detail));
    let _ = writeln!(text, "The shortest script found in {tries_count} tries, as a case:\n");
    let _ = write!(
        text,
        "{}",
        case(&format!("{}/random-{seed}", ground.model.group()), script, ground)
    );
    let [before, behind] = again;
    let _ = writeln!(text, "\nagain: {before} --scripts 1 --bursts 0 --seed {seed}{behind}");
    text
}

fn burst(wrong: &WrongBurst, again: &[String; 2]) -> String {
    let WrongBurst { seed, burst, end } = wrong;
    let verdict = match end {
        BurstEnd::Explained(_) => "kept",
        BurstEnd::Refused(..) | BurstEnd::Wrong(_) => "broken",
        BurstEnd::Unsupported(_) => "unsupported",
        BurstEnd::Died(_) => "died",
        BurstEnd::Error(_) => "error",
    };
    let mut text = format!("\n{verdict}: {}\n", plain(&end.to_string()));
    let _ = writeln!(text, "{burst}");
    let _ = writeln!(text, "again, as far as timing repeats itself:");
    let [before, behind] = again;
    let _ = writeln!(text, "    {before} --scripts 0 --bursts 1 --seed {seed}{behind}");
    text
}

/// A script as a case of the group; its kind of object is the group's name, which stands for every
/// form that takes the same sides.
#[must_use]
pub fn case(id: &str, script: &Script, ground: &Ground) -> String {
    let mut script = script.clone();
    for object in script.objects.iter_mut().filter(|object| object.kind == ground.kind) {
        ground.model.group().clone_into(&mut object.kind);
    }
    let sides: Vec<String> = ground.model.sides().iter().map(|side| format!("{side:?}")).collect();
    let contract = match sides.is_empty() {
        true => String::new(),
        false => format!("contract = [{}]\n", sides.join(", ")),
    };
    format!(
        "[[case]]\nid = {id:?}\n{}{contract}script = '''\n{}'''\n",
        shown(ground),
        plain(&script.to_string())
    )
}

/// Any behaviour of the group and of its sides: a case shows at least one, and a script that was
/// drawn is about none more than about another.
fn shown(ground: &Ground) -> String {
    let (group, sides) = (ground.model.group(), ground.model.sides());
    let may_be = |behaviour: &&Behaviour| {
        let contract = behaviour.contract.as_deref();
        behaviour.group == group
            && behaviour.untested.is_none()
            && contract.is_none_or(|contract| sides.contains(&contract))
    };
    // The catalogue is this program's own, and was read before anything was drawn.
    let behaviours = Catalogue::embedded().map(|catalogue| catalogue.behaviours);
    let behaviours = behaviours.unwrap_or_default();
    let id = behaviours.iter().find(may_be).map(|behaviour| format!("{:?}", behaviour.id));
    format!("shows = [{}] # any of the group: name what it is about\n", id.unwrap_or_default())
}
