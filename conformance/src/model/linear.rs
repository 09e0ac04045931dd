//! Is there an order in which these overlapping calls took effect, one at a time, each between its
//! beginning and its end, such that the model allows all that was told?
//!
//! The search is Wing and Gong's (Testing and Verifying Concurrent Objects, 1993) with Lowe's
//! memory of what was tried (Testing for Linearizability, 2017). A point of it is how far each line
//! is and the state so far: since a caller's events follow each other, that says all. Two ways to
//! the same point are searched once.

use std::collections::HashSet;

use super::Model;
use super::history::{End, Event, HistoryOf};

/// Finds all states in which the object may be after the history.
///
/// # Errors
/// * [`Refusal`] when there is no such order: the object is not what the model says.
pub fn explain<M: Model>(
    model: &M,
    history: &HistoryOf<M>,
) -> Result<Vec<M::State>, Refusal<M::State>> {
    let start = Point { places: vec![0; history.lines.len()], state: model.new_state() };
    let mut furthest = Refusal { places: start.places.clone(), states: Vec::new() };
    let mut found: Vec<M::State> = Vec::new();
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(point) = open.pop() {
        furthest.note(&point);
        if is_end(model, history, &point) && !found.contains(&point.state) {
            found.push(point.state.clone());
        }
        for next in after(model, history, &point) {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    if found.is_empty() { Err(furthest) } else { Ok(found) }
}

/// Why a history is refused: the furthest that an order got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<S> {
    /// How many events of each line it has put in order.
    pub places: Vec<usize>,
    /// In which states one may be there; what comes next fits none.
    pub states: Vec<S>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Point<S> {
    places: Vec<usize>,
    state: S,
}

impl<S: Clone + PartialEq> Refusal<S> {
    fn note(&mut self, point: &Point<S>) {
        let far = |places: &[usize]| places.iter().sum::<usize>();
        if far(&point.places) > far(&self.places) {
            *self = Self { places: point.places.clone(), states: Vec::new() };
        }
        if point.places == self.places && !self.states.contains(&point.state) {
            self.states.push(point.state.clone());
        }
    }
}

/// Nothing is left but calls that still wait, and rightly so.
fn is_end<M: Model>(model: &M, history: &HistoryOf<M>, point: &Point<M::State>) -> bool {
    let mut left = history.lines.iter().zip(&point.places).flat_map(|(line, at)| &line[*at..]);
    left.all(|event| event.end == End::Blocked && model.step(&point.state, &event.call).is_empty())
}

/// Every point that is one event further.
fn after<M: Model>(
    model: &M,
    history: &HistoryOf<M>,
    point: &Point<M::State>,
) -> Vec<Point<M::State>> {
    let first_end = first_end::<M>(history, &point.places);
    let mut found = Vec::new();
    for (line, at) in point.places.iter().enumerate() {
        let Some(event) = history.lines[line].get(*at) else { continue };
        // What began after another's end cannot come before that other.
        if event.entered > first_end {
            continue;
        }
        for state in states_after(model, &point.state, event) {
            let mut places = point.places.clone();
            places[line] += 1;
            found.push(Point { places, state });
        }
    }
    found
}

fn states_after<M: Model>(
    model: &M,
    state: &M::State,
    event: &Event<M::Call, M::Told>,
) -> Vec<M::State> {
    let steps = model.step(state, &event.call).into_iter();
    match &event.end {
        End::Returned { told: seen, .. } => {
            steps.filter(|(told, _)| told == seen).map(|(_, state)| state).collect()
        }
        End::CutOff => steps.map(|(_, state)| state).chain([state.clone()]).collect(),
        End::Blocked => Vec::new(),
    }
}

/// When the first of the events that are next, or come later, was over.
fn first_end<M: Model>(history: &HistoryOf<M>, places: &[usize]) -> u64 {
    let lines = history.lines.iter().zip(places);
    // Of a line only the first end counts; an event that was cut off is over with the death.
    let ends = lines.filter_map(|(line, at)| line[*at..].iter().find_map(|event| event.end.at()));
    ends.min().unwrap_or(u64::MAX)
}
