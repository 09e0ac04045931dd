//! A case about a group, asked of one form of it.

use crate::script::{Action, Script, Statement, Step, each_statement_mut};

/// The script with `form` wherever the kind of an object is the name of the group.
pub(super) fn formed(script: &Script, group: &str, form: &str) -> Script {
    let mut script = script.clone();
    if form == group {
        return script;
    }
    for object in script.objects.iter_mut().filter(|object| object.kind == group) {
        form.clone_into(&mut object.kind);
    }
    form_steps(&mut script.steps, group, form);
    script
}

fn form_steps(steps: &mut [Step], group: &str, form: &str) {
    for step in steps {
        match &mut step.action {
            Action::Run { program, .. } => each_statement_mut(program, &mut |statement| {
                if let Statement::Make { kind, .. } = statement
                    && kind == group
                {
                    form.clone_into(kind);
                }
            }),
            Action::Repeat { body, .. }
            | Action::Parallel { body }
            | Action::Forall { body, .. } => form_steps(body, group, form),
            _ => {}
        }
    }
}
