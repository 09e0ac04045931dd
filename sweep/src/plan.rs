//! Where the roles of one point are killed, as values and as text.

use core::fmt;
use core::str::FromStr;

/// What happens to the role after its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Killed before the next instruction.
    Before,
    /// The next instruction is a system call, which runs for so many microseconds.
    Within {
        /// How many.
        micros: u32,
    },
    /// The next instruction is a system call, in which it falls asleep.
    Asleep,
}

/// Where one role is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// It is not stepped before it has come back from so many system calls from its begin mark.
    pub calls: u64,
    /// After so many instructions from there.
    pub steps: u64,
    /// And then.
    pub cut: Cut,
}

/// What becomes of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does not appear.
    Absent,
    /// It runs to its end unharmed.
    Lives,
    /// It is killed.
    Dies(Kill),
    /// It stands still after so many instructions from its begin mark, while another does all it
    /// can; then it goes on to its end.
    StandsStill {
        /// How many.
        steps: u64,
    },
}

/// One point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What becomes of the victim.
    pub victim: Fate,
    /// What becomes of the second.
    pub second: Fate,
}

impl Plan {
    /// Nobody is killed.
    pub(crate) const UNKILLED: Self = Self { victim: Fate::Lives, second: Fate::Absent };

    pub(crate) const fn single(kill: Kill) -> Self {
        Self { victim: Fate::Dies(kill), second: Fate::Absent }
    }

    pub(crate) const fn still(steps: u64) -> Self {
        Self { victim: Fate::StandsStill { steps }, second: Fate::Absent }
    }

    pub(crate) const fn double(first: Kill, second: Kill) -> Self {
        Self { victim: Fate::Dies(first), second: Fate::Dies(second) }
    }
}

impl Kill {
    pub(crate) const fn before(steps: u64) -> Self {
        Self { calls: 0, steps, cut: Cut::Before }
    }
}

/// What follows the number of steps of one that stands still.
const STILL: &str = "+still";

impl fmt::Display for Plan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.second {
            Fate::Absent => write!(out, "{}", self.victim),
            second => write!(out, "{}/{second}", self.victim),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => out.write_str("absent"),
            Self::Lives => out.write_str("lives"),
            Self::Dies(kill) => write!(out, "{kill}"),
            Self::StandsStill { steps } => write!(out, "{steps}{STILL}"),
        }
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.calls > 0 {
            write!(out, "{}:", self.calls)?;
        }
        match self.cut {
            Cut::Before => write!(out, "{}", self.steps),
            Cut::Within { micros } => write!(out, "{}+{micros}us", self.steps),
            Cut::Asleep => write!(out, "{}+asleep", self.steps),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (victim, second) = text.split_once('/').unwrap_or((text, "absent"));
        Ok(Self { victim: victim.parse()?, second: second.parse()? })
    }
}

impl FromStr for Fate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_suffix(STILL)) {
            ("absent", _) => Ok(Self::Absent),
            ("lives", _) => Ok(Self::Lives),
            (_, Some(steps)) => match steps.parse() {
                Ok(steps) => Ok(Self::StandsStill { steps }),
                Err(_) => Err(refusal(text)),
            },
            (kill, None) => kill.parse().map(Self::Dies),
        }
    }
}

impl FromStr for Kill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |_| refusal(text);
        let (calls, rest) = text.split_once(':').unwrap_or(("0", text));
        let (steps, cut) = rest.split_once('+').unwrap_or((rest, ""));
        let cut = match cut {
            "" => Cut::Before,
            "asleep" => Cut::Asleep,
            micros => {
                Cut::Within { micros: micros.trim_end_matches("us").parse().map_err(refuse)? }
            }
        };
        let (calls, steps) = (calls.parse().map_err(refuse)?, steps.parse().map_err(refuse)?);
        Ok(Self { calls, steps, cut })
    }
}

fn refusal(text: &str) -> String {
    format!("`{text}` is no point; write 120, 7:120, 120+30us, 120+asleep or 120+still")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_as_it_is_written() {
        for text in
            ["0", "120", "120+30us", "7+asleep", "120/33", "lives/5+asleep", "lives", "9+still"]
                .into_iter()
                .chain(["12:0", "12:33+asleep", "3:4/5"])
        {
            assert_eq!(text.parse::<Plan>().map(|plan| plan.to_string()), Ok(text.to_owned()));
        }
        assert!("120+soon".parse::<Plan>().is_err());
        assert!("still".parse::<Plan>().is_err() && "a+still".parse::<Plan>().is_err());
        assert!("".parse::<Plan>().is_err());
    }
}
