//! Runs a template: a stack machine over the steps of its bodies.

use super::Template;
use super::error::{Stage, TemplateError};
use super::frame::{Elements, Frame, Loop, Scope};
use super::funcs::Arity;
use super::literal::Constant;
use super::printf::sprint;
use super::program::{Action, Call, LoopVariables, Refusal, Step};
use super::trace::Trace;
use super::value::{Inputs, Value};

/// Go's limit for templates that use templates.
const DEEPEST: usize = 100_000;

/// How many steps a template may take. Real ones take hundreds; Go would go on for ever.
const MOST_STEPS: u64 = 1_000_000;

/// How many bytes a template may print, and how many a text in it may have. Real ones print thousands.
const MOST_BYTES: usize = 16 << 20;

/// How many bytes all texts that functions made may have together.
const MOST_MADE: usize = 256 << 20;

/// A template that is being rendered.
pub(super) struct Machine<'t> {
    /// The template.
    template: &'t Template,
    /// Bodies that are being run; the innermost is last.
    frames: Vec<Frame<'t>>,
    /// Values that steps left for later ones.
    stack: Vec<Value>,
    /// What was printed.
    out: Vec<u8>,
    /// Where in the template it came from.
    trace: Trace,
    /// The byte of the template that errors point at.
    at: usize,
    /// Steps taken.
    steps: u64,
    /// Bytes of texts made.
    made: usize,
}

impl<'t> Machine<'t> {
    /// Renders `template` with `inputs`, which are JSON already.
    pub(super) fn run(template: &'t Template, inputs: Inputs) -> Result<(Vec<u8>, Trace), TemplateError> {
        let mut machine = Self {
            template,
            frames: vec![Frame::new(&template.body, Value::Inputs(inputs))],
            stack: Vec::new(),
            out: Vec::new(),
            trace: Trace::default(),
            at: 0,
            steps: 0,
            made: 0,
        };
        while let Some(frame) = machine.frames.last_mut() {
            match frame.next_step() {
                Some(step) => machine.step(step)?,
                None => {
                    machine.frames.pop();
                }
            }
        }
        Ok((machine.out, machine.trace))
    }

    /// Takes one step.
    fn step(&mut self, step: &'t Step) -> Result<(), TemplateError> {
        if let Some(at) = step.at {
            self.at = at;
        }
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(self.fail(format!("the template does not end: it took {MOST_STEPS} steps")));
        }
        match &step.action {
            Action::Text(from, to) => {
                let text: &'t [u8] = &self.template.text.as_bytes()[*from..*to];
                self.trace.text(self.out.len(), *from);
                self.print(text)
            }
            Action::Print => {
                let text = match self.pop() {
                    Value::Nil => b"<no value>".as_slice().into(),
                    Value::Text(text) => text,
                    other => sprint(&[other], MOST_BYTES).into(),
                };
                self.trace.value(self.out.len(), self.at);
                self.print(&text)
            }
            Action::Open | Action::Close | Action::Jump(_) | Action::Unless(_) | Action::With(_) => {
                self.branch(&step.action);
                Ok(())
            }
            Action::Range { variables, otherwise } => self.range(variables, *otherwise),
            Action::Next(_) | Action::Continue(_) | Action::Break(_) => self.turn(&step.action),
            Action::Find(name) => self.find(name),
            Action::Run(name) => {
                let dot = self.pop();
                if let Some(body) = self.template.definitions.get(name) {
                    self.frames.push(Frame::new(body, dot));
                }
                Ok(())
            }
            action => self.compute(action),
        }
    }

    /// Takes a step that computes a value.
    fn compute(&mut self, action: &'t Action) -> Result<(), TemplateError> {
        match action {
            Action::Discard => {
                self.pop();
            }
            Action::Dot => {
                let dot = self.frame().dot.clone();
                self.stack.push(dot);
            }
            Action::Nil => self.stack.push(Value::Nil),
            Action::Constant(constant) => {
                let value = self.constant(constant)?;
                self.stack.push(value);
            }
            Action::Variable(name) => match self.frame().variable(name) {
                Some(value) => {
                    let value = value.clone();
                    self.stack.push(value);
                }
                None => return Err(self.undeclared(name)),
            },
            Action::Field { name, arguments } => {
                let receiver = self.pop();
                let value = self.field(&receiver, name, *arguments)?;
                self.stack.push(value);
            }
            Action::Refuse(Refusal::Nil) => return Err(self.fail("`nil` has no value that could be used here")),
            Action::Refuse(Refusal::Arguments) | Action::Group { arguments: true } => {
                return Err(self.fail("only a function takes arguments"));
            }
            Action::Enter(call) => self.enter(*call)?,
            Action::ExpectText => self.expect_text(self.stack.last().unwrap_or(&Value::Nil))?,
            Action::Settle { truth, piped, target } => self.settle(*truth, *piped, *target),
            Action::Call { call, at } => self.call(*call, *at)?,
            Action::Declare(name) => {
                let value = self.stack.last().cloned().unwrap_or_default();
                self.frame().variables.push((name, value));
            }
            Action::Assign(name) => {
                let value = self.stack.last().cloned().unwrap_or_default();
                self.assign(name, value)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends `and` or `or` if the top settles it.
    fn settle(&mut self, truth: bool, piped: bool, target: usize) {
        let value = self.pop();
        if value.is_true() == truth {
            if piped {
                self.pop();
            }
            self.frame().next = target;
        }
        self.stack.push(value);
    }

    /// Opens or ends a scope, or goes on elsewhere.
    fn branch(&mut self, action: &Action) {
        let frame = self.frames.last_mut();
        let Some(frame) = frame else { return };
        match action {
            Action::Open => {
                let scope = Scope { dot: frame.dot.clone(), variables: frame.variables.len() };
                frame.scopes.push(scope);
            }
            Action::Close => {
                if let Some(scope) = frame.scopes.pop() {
                    frame.dot = scope.dot;
                    frame.variables.truncate(scope.variables);
                }
            }
            Action::Jump(target) => frame.next = *target,
            Action::Unless(target) | Action::With(target) => {
                let value = self.stack.pop().unwrap_or_default();
                if !value.is_true() {
                    frame.next = *target;
                } else if matches!(action, Action::With(_)) {
                    frame.dot = value;
                }
            }
            _ => {}
        }
    }

    /// Starts a loop.
    fn range(&mut self, variables: &'t LoopVariables, otherwise: usize) -> Result<(), TemplateError> {
        let value = self.pop();
        let elements = match value {
            Value::Nil => Elements::none(),
            Value::Inputs(inputs) => Elements::of(&inputs),
            Value::Integer(_) | Value::Byte(_) if variables.names.len() > 1 => {
                return Err(self.fail("a loop over a number has one variable at most"));
            }
            Value::Integer(count) => Elements::up_to(count, Value::Integer),
            Value::Byte(count) => Elements::up_to(i64::from(count), |index| Value::Byte(index as u8)),
            other => {
                return Err(self.fail(format!("`range` cannot go over a value of type {}", other.type_name())));
            }
        };
        let frame = self.frame();
        let (scopes, kept) = (frame.scopes.len(), frame.variables.len());
        frame.loops.push(Loop { elements, variables, scopes, kept });
        if !self.next_element()? {
            self.frame().next = otherwise;
        }
        Ok(())
    }

    /// Ends a turn of a loop.
    fn turn(&mut self, action: &Action) -> Result<(), TemplateError> {
        match action {
            Action::Next(first) => {
                let goes_on = self.next_element()?;
                let frame = self.frame();
                frame.next = if goes_on { *first } else { frame.next };
            }
            Action::Continue(next) => self.frame().next = *next,
            Action::Break(behind) => {
                self.frame().end_loop();
                self.frame().next = *behind;
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes the next element of the innermost loop `.` and sets its variables. Without a next element the loop ends.
    fn next_element(&mut self) -> Result<bool, TemplateError> {
        let Some((index, element, variables)) = self.frame().next_element() else {
            self.frame().end_loop();
            return Ok(false);
        };
        let values = match variables.names.len() {
            2 => vec![index, element.clone()],
            count => vec![element.clone(); count],
        };
        if variables.assigned {
            for (name, value) in variables.names.iter().zip(values) {
                self.assign(name, value)?;
            }
        } else {
            self.frame().set_latest(values);
        }
        self.frame().dot = element;
        Ok(true)
    }

    /// Checks that a named template can be run.
    fn find(&mut self, name: &[u8]) -> Result<(), TemplateError> {
        if !self.template.definitions.contains_key(name) {
            return Err(self.fail(format!("there is no template {:?}", String::from_utf8_lossy(name))));
        }
        if self.frames.len() > DEEPEST {
            return Err(self.fail(format!("templates use each other more than {DEEPEST} levels deep")));
        }
        Ok(())
    }

    /// The value of a constant.
    fn constant(&self, constant: &Constant) -> Result<Value, TemplateError> {
        Ok(match constant {
            Constant::Boolean(value) => Value::Boolean(*value),
            Constant::Integer(value) => Value::Integer(*value),
            Constant::Float(value) => Value::Float(*value),
            Constant::Complex(real, imaginary) => Value::Complex(*real, *imaginary),
            Constant::Text(bytes) => Value::Text(bytes[..].into()),
            Constant::TooLarge => return Err(self.fail("this number does not fit into 64 bits with a sign")),
        })
    }

    /// A field of a value: an input of the inputs. A missing value has all fields, and all of them are missing.
    fn field(&self, receiver: &Value, name: &str, arguments: bool) -> Result<Value, TemplateError> {
        match receiver {
            Value::Nil => Ok(Value::Nil),
            Value::Inputs(_) if arguments => {
                Err(self.fail(format!("the input `{name}` is a text, which takes no arguments")))
            }
            Value::Inputs(inputs) => {
                Ok(inputs.get(name.as_bytes()).map_or(Value::Nil, |text| Value::Text(text.clone())))
            }
            other => {
                let error = self.fail(format!("a value of type {} has no field `{name}`", other.type_name()));
                Err(error.with_help(format!(
                    "only the inputs have fields; where `.` is something else, the input is `$.{name}`"
                )))
            }
        }
    }

    /// Checks the number of arguments of a call.
    fn enter(&self, call: Call) -> Result<(), TemplateError> {
        let count = call.given + usize::from(call.piped);
        let wanted = match call.function.arity() {
            Arity::Exactly(wanted) if count != wanted => format!("{wanted}"),
            Arity::AtLeast(wanted) if count < wanted => format!("at least {wanted}"),
            _ => return Ok(()),
        };
        let name = call.function.name();
        let noun = if wanted.ends_with('1') { "argument" } else { "arguments" };
        Err(self.fail(format!("`{name}` takes {wanted} {noun}, not {count}")))
    }

    /// Checks that an argument is a text.
    fn expect_text(&self, value: &Value) -> Result<(), TemplateError> {
        match value {
            Value::Text(_) => Ok(()),
            Value::Nil => Err(match self.template.input_at(self.at) {
                Some(input) => self
                    .fail(format!("expected the input `{input}`, which was not given"))
                    .with_help(format!("give the input `{input}`")),
                None => self.fail("expected a text, not a missing value"),
            }),
            other => Err(self.fail(format!("expected a text, not a value of type {}", other.type_name()))),
        }
    }

    /// Calls a function.
    fn call(&mut self, call: Call, at: usize) -> Result<(), TemplateError> {
        let arguments = self.stack.len().saturating_sub(call.given);
        let mut arguments = self.stack.split_off(arguments);
        if call.piped {
            let value = self.pop();
            if call.function.wants_text(call.given) {
                self.expect_text(&value)?;
            }
            arguments.push(value);
        }
        let result = call.function.call(&arguments, MOST_BYTES).map_err(|message| {
            self.at = at;
            self.fail(format!("`{}`: {message}", call.function.name()))
        })?;
        if let Value::Text(text) = &result {
            self.made += text.len();
            if text.len() > MOST_BYTES || self.made > MOST_MADE {
                return Err(self.fail("the template makes texts that are too long"));
            }
        }
        self.stack.push(result);
        Ok(())
    }

    /// Gives a variable another value.
    fn assign(&mut self, name: &str, value: Value) -> Result<(), TemplateError> {
        match self.frame().variable(name) {
            Some(variable) => {
                *variable = value;
                Ok(())
            }
            None => Err(self.undeclared(name)),
        }
    }

    /// Prints `text`.
    fn print(&mut self, text: &[u8]) -> Result<(), TemplateError> {
        if self.out.len() + text.len() > MOST_BYTES {
            return Err(self.fail(format!("the template prints more than {} MB", MOST_BYTES >> 20)));
        }
        self.out.extend_from_slice(text);
        Ok(())
    }

    /// The body that is being run.
    fn frame(&mut self) -> &mut Frame<'t> {
        self.frames.last_mut().expect("a step is only taken for a body that is being run")
    }

    /// Takes the top of the stack.
    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or_default()
    }

    /// A variable that has no value where it is used, though it was declared somewhere before.
    fn undeclared(&self, name: &str) -> TemplateError {
        self.fail(format!("the variable `{name}` was not declared on the way here"))
    }

    /// An error at the current place.
    fn fail(&self, message: impl Into<String>) -> TemplateError {
        TemplateError::at(Stage::Execute, &self.template.text, self.at, message)
    }
}
