//! The types that each server of the suite's offers beside its own.

use purlin_manager::Types;

use crate::adapter::purlin::managed::element::Formless;

/// `thing` offers all but what it keeps to itself, `narrow` another choice, `squares` is walked.
pub(super) fn offer(types: &mut Types) {
    let thing = types.register("thing", |(): ()| ());
    thing.method("f", |(), ()| "f()".to_owned());
    thing.fallible("g", |(), ()| Err::<String, _>("boom"));
    thing.method("unsendable", |(), ()| Formless);
    let narrow = types.register("narrow", |(): ()| ());
    narrow.method("f", |(), ()| "f()".to_owned()).method("_h", |(), ()| "_h()".to_owned());
    types.register_iterator("squares", |(): ()| (0..10_u64).map(|number| number * number));
}
