//! What a template is compiled to: a flat list of steps for a stack machine.
//!
//! Flat, because templates come from strangers: nothing that reads, runs or drops one recurses, so that no nesting can
//! exhaust a thread's stack, and the limits are Go's own wherever it runs.

use super::funcs::Function;
use super::literal::Constant;

/// Index of a [`Step`] in its body.
pub(super) type Target = usize;

/// The steps of the template itself, or of a named template inside it.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The steps in order.
    pub(super) steps: Vec<Step>,
    /// Whether it holds nothing but white space. Such a definition does not count as a second one of its name.
    pub(super) is_blank: bool,
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// What to do.
    pub(super) action: Action,
    /// The byte of the template that errors point at from here on, until another step says otherwise.
    pub(super) at: Option<usize>,
}

/// What a step does. "The top" is the top of the machine's stack of values.
#[derive(Debug)]
pub(super) enum Action {
    /// Prints the template's bytes from the first to before the second.
    Text(usize, usize),
    /// Takes the top and prints it.
    Print,
    /// Takes the top and forgets it.
    Discard,
    /// Nothing; only moves the place of errors.
    Mark,
    /// Fails: a value that is no function was given arguments, or `nil` stands where a value is computed.
    Refuse(Refusal),

    /// Opens a scope: its end restores `.` and forgets variables.
    Open,
    /// Ends the innermost scope.
    Close,
    /// Goes on elsewhere.
    Jump(Target),
    /// Takes the top and goes on elsewhere if it is not true.
    Unless(Target),
    /// Takes the top and makes it `.` if it is true, or goes on elsewhere.
    With(Target),
    /// Takes the top and starts a loop over it, or goes on elsewhere if it is empty.
    Range {
        /// Variables that the loop sets.
        variables: LoopVariables,
        /// Where to go on if there is nothing to loop over.
        otherwise: Target,
    },
    /// Goes back to the loop's first step with the next element, or ends the loop.
    Next(Target),
    /// Goes to the loop's [`Next`](Action::Next).
    Continue(Target),
    /// Ends the innermost loop and goes on behind it.
    Break(Target),
    /// Fails if there is no such template, or templates are nested too deep.
    Find(Vec<u8>),
    /// Takes the top and runs a named template with it as `.`.
    Run(Vec<u8>),

    /// Puts `.` on top.
    Dot,
    /// Puts no value on top.
    Nil,
    /// Puts a constant on top.
    Constant(Constant),
    /// Puts a variable on top.
    Variable(Box<str>),
    /// Takes the top and puts its field on top.
    Field {
        /// Name of the field.
        name: Box<str>,
        /// Whether it was given arguments, which only a method could take.
        arguments: bool,
    },
    /// Begins a pipeline in parentheses at the head of a command; fails if it is given arguments.
    Group {
        /// Whether it is.
        arguments: bool,
    },
    /// Begins a call; fails if there are too few or too many arguments.
    Enter(Call),
    /// Fails if the top is not a text.
    ExpectText,
    /// Ends `and` or `or` with the top as the result, if that is settled by it.
    Settle {
        /// What the truth of the top must be.
        truth: bool,
        /// Whether the value before the top came through the pipe and must go.
        piped: bool,
        /// Where to go on.
        target: Target,
    },
    /// Takes the arguments and puts the function's result on top.
    Call {
        /// What is called.
        call: Call,
        /// The byte of the template that an error of the function points at.
        at: usize,
    },
    /// Declares a variable with the top as its value; the top stays.
    Declare(Box<str>),
    /// Gives a variable another value, the top; the top stays.
    Assign(Box<str>),
}

/// Why a command cannot be run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// A value that is no function was given arguments.
    Arguments,
    /// `nil` is no command.
    Nil,
}

/// A function and its arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// The function.
    pub(super) function: Function,
    /// Number of arguments that stand behind its name.
    pub(super) given: usize,
    /// Whether another one comes through the pipe.
    pub(super) piped: bool,
}

/// Variables that a loop sets for each element.
#[derive(Debug, Default)]
pub(super) struct LoopVariables {
    /// Their names: none, the element's, or the index's and the element's.
    pub(super) names: Vec<Box<str>>,
    /// Whether they were declared before, so that the loop changes them.
    pub(super) assigned: bool,
}
