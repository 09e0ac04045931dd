//! Every statement of a program, also those inside others.

use super::{Program, Statement, functions};

/// Visits every statement, with the number of rounds of the loops around it; an endless loop counts
/// as the largest number. How often a function is run, nobody knows; it counts once.
pub(crate) fn each_statement(program: &Program, visit: &mut dyn FnMut(&Statement, u64)) {
    inside(program, 1, visit);
}

fn inside(program: &Program, rounds: u64, visit: &mut dyn FnMut(&Statement, u64)) {
    for statement in program {
        visit(statement, rounds);
        match statement {
            Statement::Call { args, or, .. } => {
                functions(args).for_each(|function| inside(&function, rounds, visit));
                or.iter().for_each(|or| inside(&or.body, rounds, visit));
            }
            Statement::Make { args, .. } => {
                functions(args).for_each(|function| inside(&function, rounds, visit));
            }
            Statement::Loop { count, body, .. } => {
                inside(body, rounds.saturating_mul(count.unwrap_or(u64::MAX)), visit);
            }
            Statement::Tally { count, body, .. } => {
                inside(body, rounds.saturating_mul(*count), visit);
            }
            Statement::With { body, .. } => inside(body, rounds, visit),
            _ => {}
        }
    }
}

/// Visits every statement and may change it, but for those of functions.
pub(crate) fn each_statement_mut(program: &mut Program, change: &mut dyn FnMut(&mut Statement)) {
    for statement in program {
        change(statement);
        match statement {
            Statement::Call { or, .. } => {
                or.iter_mut().for_each(|or| each_statement_mut(&mut or.body, change));
            }
            Statement::Loop { body, .. }
            | Statement::Tally { body, .. }
            | Statement::With { body, .. } => each_statement_mut(body, change),
            _ => {}
        }
    }
}
