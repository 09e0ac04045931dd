//! Functions of the script that nobody's call runs: tasks in the workers of a pool, what is called
//! when one has ended.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde_json::Value;

use super::actor::run_alone;
use super::functions::{Function, Functions};
use super::life::Life;
use super::newborn::alone;
use super::package::{Package, taking};
use super::shelf::Shelf;
use super::{Object, Refusal, Subject};

/// Runs functions, one after the other, with the objects of the actor that packed it.
pub struct Errands {
    life: Life,
}

impl Functions<'_> {
    /// What [`Errands::unpack`] needs to run functions elsewhere, with this actor's objects.
    ///
    /// # Errors
    /// * `out-of-resources` without descriptors.
    pub fn pack(&self) -> Result<Package, Refusal> {
        alone(self.life, Vec::new()).pack()
    }

    /// The function as something that can be run later with a value, in another thread. It has this
    /// actor's objects; what it failed with is for whoever calls it.
    pub fn later(
        &self,
        function: &Function,
    ) -> impl FnOnce(Value) -> Result<Value, Refusal> + Send + use<> {
        let shelf = Shelf::new(self.life.shelf.all());
        let (subject, program) = (Arc::clone(&self.life.subject), function.0.clone());
        move |given| run_alone(&mut Life::new(shelf, subject), &program, given)
    }
}

impl Errands {
    /// Takes up a package, in the thread that will run the functions. `open` is asked for each of
    /// its objects.
    ///
    /// # Errors
    /// * When the package is none, or what `open` gave.
    pub fn unpack(
        subject: Arc<dyn Subject>,
        text: &str,
        descriptors: Vec<OwnedFd>,
        open: impl Fn(&str) -> io::Result<Arc<dyn Object>>,
    ) -> io::Result<Self> {
        let passed: super::passage::Passed = serde_json::from_str(text)?;
        let life = passed.errands(subject, &mut taking(descriptors), open)?;
        Ok(Self { life })
    }

    /// Runs a function on what it is given, and gives the value of its last statement.
    ///
    /// # Errors
    /// * What a statement failed with.
    pub fn run(&mut self, function: &Function, given: Value) -> Result<Value, Refusal> {
        run_alone(&mut self.life, &function.0, given)
    }
}
