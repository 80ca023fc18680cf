//! Reads what stands inside an action: `$x := .a | f (g .b) "c"`.
//!
//! Steps are written in the order of the text, so that a parenthesis needs no more than an entry on a list of open ones. What is
//! known only later (how many arguments a function gets, where `and` goes when it is settled) is filled in afterwards.

use super::error::TemplateError;
use super::funcs::Function;
use super::literal::{self, Constant};
use super::number;
use super::parse::Parser;
use super::program::{Action, Call, Refusal};
use super::token::{Kind, Token};

/// Go's limit for parentheses inside parentheses.
const DEEPEST: usize = 10_000;

/// A pipeline that is being read.
struct Pipeline<'t> {
    /// What it is part of, for errors.
    context: &'static str,
    /// The token that ends it.
    end: Kind,
    /// Variables that get its value.
    variables: Vec<&'t str>,
    /// Whether these were declared before.
    assigned: bool,
    /// Number of commands so far, with the current one.
    commands: usize,
    /// The first command behind a `|` that can take no value from there, counted from 1.
    constant_stage: Option<usize>,
    /// The command that is being read.
    command: Command,
}

/// A command that is being read.
#[derive(Default)]
struct Command {
    /// Where it starts.
    start: usize,
    /// Number of operands so far.
    operands: usize,
    /// What its first operand is.
    head: Head,
    /// Steps that lead behind the command.
    exits: Vec<usize>,
}

/// The first operand of a command.
#[derive(Default, Clone, Copy)]
enum Head {
    /// Not read yet, or a value that is no function and cannot be one.
    #[default]
    Value,
    /// Fields of a value, the last of which is read by this step.
    Fields(usize),
    /// A pipeline in parentheses that begins with this step.
    Group(usize),
    /// A function that is entered by this step.
    Function(Function, usize),
}

/// An operand without the fields behind it.
enum Term<'t> {
    /// A pipeline in parentheses.
    Group,
    /// A variable.
    Variable,
    /// `.x`, read by this step.
    Field(usize),
    /// A constant, `.` or `nil`, which has no fields.
    Constant,
    /// A function's name. Its steps are not written yet.
    Function(Token<'t>, Function),
}

impl Pipeline<'_> {
    /// Whether the current command gets a value through the pipe.
    fn is_piped(&self) -> bool {
        self.commands > 1
    }
}

/// A pipeline's variables.
pub(super) struct Declarations<'t> {
    /// Their names.
    pub(super) names: Vec<&'t str>,
    /// Whether they were declared before.
    pub(super) assigned: bool,
}

impl<'t> Parser<'t> {
    /// Reads a pipeline up to the end of the action. Its value will be on top of the stack.
    pub(super) fn pipeline(&mut self, context: &'static str) -> Result<Declarations<'t>, TemplateError> {
        let mut outer = Vec::new();
        let mut current = self.begin_pipeline(context, Kind::CloseAction)?;
        loop {
            let token = self.next_word();
            if current.command.operands == 0 {
                if token.kind == current.end {
                    self.finish_pipeline(&current)?;
                    let Some(around) = outer.pop() else {
                        return Ok(Declarations { names: current.variables, assigned: current.assigned });
                    };
                    current = around;
                    self.operand(&mut current, Term::Group)?;
                    continue;
                }
                if !begins_operand(token.kind) {
                    return Err(self.unexpected(token, current.context));
                }
                current.commands += 1;
                current.command = Command { start: token.start, ..Command::default() };
            }
            if token.kind == Kind::OpenParenthesis {
                self.begin_group(&mut current, outer.len())?;
                let inner = self.begin_pipeline("parenthesized pipeline", Kind::CloseParenthesis)?;
                outer.push(std::mem::replace(&mut current, inner));
                continue;
            }
            match self.term(&mut current, token)? {
                Some(term) => self.operand(&mut current, term)?,
                // Not an operand: the command ended with the white space before it.
                None => self.end_operand(&mut current, token)?,
            }
        }
    }

    /// Reads the variables at the start of a pipeline.
    fn begin_pipeline(&mut self, context: &'static str, end: Kind) -> Result<Pipeline<'t>, TemplateError> {
        let start = self.peek_word().start;
        self.write(Action::Mark, Some(start));
        let mut variables = Vec::new();
        let mut assigned = false;
        while self.peek_word().kind == Kind::Variable {
            let variable = self.next_word();
            let space = self.next_token();
            let sign = if space.kind == Kind::Space { self.next_word() } else { space };
            match sign.kind {
                Kind::Assign | Kind::Declare => {
                    assigned = sign.kind == Kind::Assign;
                    variables.push(variable.text);
                    self.declare(variable.text);
                    break;
                }
                Kind::Other if sign.text == "," => {
                    variables.push(variable.text);
                    self.declare(variable.text);
                    if context != "range" || variables.len() > 1 {
                        return Err(self.fail(format!("too many variables for {}", in_words(context))));
                    }
                    if !matches!(self.peek_word().kind, Kind::Variable | Kind::CloseAction | Kind::CloseParenthesis) {
                        return Err(self.fail("expected a second variable for `range`"));
                    }
                }
                _ => {
                    self.back(sign);
                    if space.kind == Kind::Space {
                        self.back(space);
                    }
                    self.back(variable);
                    break;
                }
            }
        }
        Ok(Pipeline {
            context,
            end,
            variables,
            assigned,
            commands: 0,
            constant_stage: None,
            command: Command::default(),
        })
    }

    /// Writes what follows the commands of a pipeline.
    fn finish_pipeline(&mut self, pipeline: &Pipeline<'t>) -> Result<(), TemplateError> {
        if pipeline.commands == 0 {
            return Err(self.fail(format!("expected a value for {}", in_words(pipeline.context))));
        }
        if let Some(stage) = pipeline.constant_stage {
            let message = format!("part {stage} of this pipeline is a constant, which takes no value from a `|`");
            return Err(self.fail(message).with_help("put a function there, or take the `|` away"));
        }
        for name in &pipeline.variables {
            let name = Box::from(*name);
            self.write(if pipeline.assigned { Action::Assign(name) } else { Action::Declare(name) }, None);
        }
        Ok(())
    }

    /// Writes what an operand needs before it, when it is an argument.
    fn before_operand(&mut self, pipeline: &mut Pipeline<'t>) {
        let command = &mut pipeline.command;
        match (command.operands, command.head) {
            (0, _) => {}
            // The first argument of something that takes none.
            (1, Head::Value) => {
                self.write(Action::Refuse(Refusal::Arguments), None);
            }
            (1, Head::Group(step)) => self.set_arguments(step),
            (1, Head::Fields(step)) => {
                // Without a value, Go takes any arguments for granted and never computes them.
                self.set_arguments(step);
                command.exits.push(self.write(Action::Jump(0), None));
            }
            (2.., Head::Function(function, _)) if function.settles_at().is_some() => {
                self.write(Action::Discard, None);
            }
            _ => {}
        }
    }

    /// Writes the start of a pipeline in parentheses, inside `depth` other ones.
    fn begin_group(&mut self, pipeline: &mut Pipeline<'t>, depth: usize) -> Result<(), TemplateError> {
        if depth >= DEEPEST {
            return Err(self.fail("parentheses are nested too deep"));
        }
        self.before_operand(pipeline);
        if pipeline.command.operands == 0 {
            if pipeline.is_piped() {
                self.write(Action::Discard, None);
            }
            let step = self.write(Action::Group { arguments: false }, None);
            pipeline.command.head = Head::Group(step);
        }
        Ok(())
    }

    /// Says of a field or group that it was given arguments.
    fn set_arguments(&mut self, step: usize) {
        if let Action::Field { arguments, .. } | Action::Group { arguments } = self.action_of(step) {
            *arguments = true;
        }
    }

    /// Reads an operand other than parentheses and writes its steps. `None`: this is no operand.
    fn term(&mut self, pipeline: &mut Pipeline<'t>, token: Token<'t>) -> Result<Option<Term<'t>>, TemplateError> {
        let constant = match token.kind {
            Kind::Boolean => Some(Constant::Boolean(token.text == "true")),
            Kind::Number => Some(number::number(token.text).map_err(|wrong| self.fail_token(token, wrong))?),
            Kind::Complex => {
                Some(number::complex(token.text).ok_or_else(|| self.fail_token(token, "this is not a number"))?)
            }
            Kind::Character => {
                let code = literal::character(token.text);
                let code =
                    code.ok_or_else(|| self.fail_token(token, "expected exactly one character in single quotes"))?;
                Some(Constant::Integer(code))
            }
            Kind::Quoted | Kind::Raw => Some(Constant::Text(self.string(token)?)),
            Kind::Dot | Kind::Nil | Kind::Variable | Kind::Field | Kind::Identifier => None,
            _ => return Ok(None),
        };
        let function = match token.kind {
            Kind::Identifier => Some(Function::of(token.text).ok_or_else(|| self.unknown_function(token))?),
            _ => None,
        };
        if token.kind == Kind::Variable && !self.is_declared(token.text) {
            return Err(self.fail_token(token, format!("the variable `{}` is not declared", token.text)));
        }
        self.before_operand(pipeline);
        let first = pipeline.command.operands == 0;
        if first && pipeline.is_piped() {
            // Only a function takes what comes through the pipe. One with a field behind it is called without.
            if function.is_none() || self.peek().kind == Kind::Field {
                self.write(Action::Discard, None);
            }
            if constant.is_some() || matches!(token.kind, Kind::Dot | Kind::Nil) {
                pipeline.constant_stage.get_or_insert(pipeline.commands);
            }
        }
        let at = Some(token.start);
        Ok(Some(match (token.kind, constant, function) {
            (_, Some(constant), _) => {
                self.write(Action::Constant(constant), at);
                Term::Constant
            }
            (_, _, Some(function)) => Term::Function(token, function),
            (Kind::Dot, ..) => {
                self.write(Action::Dot, at);
                Term::Constant
            }
            (Kind::Nil, ..) if first => {
                self.write(Action::Refuse(Refusal::Nil), at);
                Term::Constant
            }
            (Kind::Nil, ..) => {
                self.write(Action::Nil, at);
                Term::Constant
            }
            (Kind::Field, ..) => {
                self.write(Action::Dot, at);
                Term::Field(self.write(Action::Field { name: token.text[1..].into(), arguments: false }, None))
            }
            _ => {
                self.write(Action::Variable(token.text.into()), at);
                Term::Variable
            }
        }))
    }

    /// Reads the fields behind an operand, whose steps are written, and what ends the operand.
    fn operand(&mut self, pipeline: &mut Pipeline<'t>, term: Term<'t>) -> Result<(), TemplateError> {
        let first = pipeline.command.operands == 0;
        let has_fields = self.peek().kind == Kind::Field;
        if has_fields && matches!(term, Term::Constant) {
            let token = self.peek();
            return Err(self.fail_token(token, "what stands before this field has no fields"));
        }
        if let Term::Function(token, function) = term {
            if first && !has_fields {
                let call = Call { function, given: 0, piped: pipeline.is_piped() };
                let step = self.write(Action::Enter(call), Some(token.start));
                pipeline.command.head = Head::Function(function, step);
            } else {
                let call = Call { function, given: 0, piped: false };
                self.write(Action::Enter(call), Some(token.start));
                self.write(Action::Call { call, at: token.start }, None);
            }
        }
        let mut last_field = match term {
            Term::Field(step) => Some(step),
            _ => None,
        };
        while self.peek().kind == Kind::Field {
            let name = self.next_token().text[1..].into();
            last_field = Some(self.write(Action::Field { name, arguments: false }, None));
        }
        if first {
            self.after_head(pipeline, &term, last_field);
        } else {
            self.after_argument(pipeline);
        }
        pipeline.command.operands += 1;
        let token = self.next_token();
        self.end_operand(pipeline, token)
    }

    /// Notes what the head of a command is, and refuses what comes through the pipe unless it is a function.
    fn after_head(&mut self, pipeline: &mut Pipeline<'t>, term: &Term<'t>, last_field: Option<usize>) {
        if let Some(step) = last_field {
            pipeline.command.head = Head::Fields(step);
        }
        if !pipeline.is_piped() {
            return;
        }
        match (pipeline.command.head, term) {
            (Head::Fields(step) | Head::Group(step), _) => self.set_arguments(step),
            (_, Term::Variable) => {
                self.write(Action::Refuse(Refusal::Arguments), None);
            }
            _ => {}
        }
    }

    /// Writes what the head of a command wants to be done with an argument.
    fn after_argument(&mut self, pipeline: &mut Pipeline<'t>) {
        let piped = pipeline.is_piped();
        let command = &mut pipeline.command;
        let Head::Function(function, _) = command.head else { return };
        if function.wants_text(command.operands - 1) {
            self.write(Action::ExpectText, None);
        }
        if let Some(truth) = function.settles_at() {
            command.exits.push(self.write(Action::Settle { truth, piped, target: 0 }, None));
        }
    }

    /// Ends the command with `token`, which follows an operand, unless it is white space.
    fn end_operand(&mut self, pipeline: &mut Pipeline<'t>, token: Token<'t>) -> Result<(), TemplateError> {
        match token.kind {
            Kind::Space => return Ok(()),
            Kind::CloseAction | Kind::CloseParenthesis => self.back(token),
            Kind::Pipe => {}
            _ => return Err(self.unexpected(token, "operand")),
        }
        self.finish_command(pipeline);
        Ok(())
    }

    /// Writes the call at the end of a command and fills in what is known only now.
    fn finish_command(&mut self, pipeline: &mut Pipeline<'t>) {
        let command = std::mem::take(&mut pipeline.command);
        if let Head::Function(function, step) = command.head {
            let call = Call { function, given: command.operands - 1, piped: pipeline.is_piped() };
            if let Action::Enter(entered) = self.action_of(step) {
                *entered = call;
            }
            match function.settles_at() {
                None => {
                    self.write(Action::Call { call, at: command.start }, None);
                }
                // Nothing settled it, so that the last value is the result: the one from the pipe, if there is one.
                Some(_) if call.piped && call.given > 0 => {
                    self.write(Action::Discard, None);
                }
                Some(_) => {}
            }
        }
        let here = self.here();
        for exit in command.exits {
            self.set_target(exit, here);
        }
    }
}

/// Whether a token can begin an operand.
fn begins_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Boolean
            | Kind::Character
            | Kind::Complex
            | Kind::Dot
            | Kind::Field
            | Kind::Identifier
            | Kind::Number
            | Kind::Nil
            | Kind::Raw
            | Kind::Quoted
            | Kind::Variable
            | Kind::OpenParenthesis
    )
}

/// A context in words.
pub(super) fn in_words(context: &str) -> String {
    match context {
        "command" => "this action".into(),
        "parenthesized pipeline" => "these parentheses".into(),
        "operand" => "this operand".into(),
        "input" => "the template".into(),
        "define clause" => "`define`".into(),
        "block clause" => "`block`".into(),
        "template clause" => "`template`".into(),
        keyword => format!("`{keyword}`"),
    }
}
