//! Where in a template each part of its output came from.

/// Where in a template each part of its output came from, in the order of the output.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The parts.
    parts: Vec<Part>,
}

/// A part of the output.
#[derive(Debug)]
struct Part {
    /// Where it starts in the output.
    output: usize,
    /// Where it comes from in the template.
    template: usize,
    /// Whether it stands in the template as it is; otherwise it was computed there.
    is_text: bool,
}

impl Trace {
    /// What is printed from `output` on stands in the template from `template` on.
    pub(super) fn text(&mut self, output: usize, template: usize) {
        self.parts.push(Part { output, template, is_text: true });
    }

    /// What is printed from `output` on was computed at `template`.
    pub(super) fn value(&mut self, output: usize, template: usize) {
        self.parts.push(Part { output, template, is_text: false });
    }

    /// The byte of the template that byte `output` of the output comes from.
    pub(super) fn origin(&self, output: usize) -> usize {
        let after = self.parts.partition_point(|part| part.output <= output);
        match after.checked_sub(1).and_then(|index| self.parts.get(index)) {
            Some(part) if part.is_text => part.template + (output - part.output),
            Some(part) => part.template,
            None => 0,
        }
    }
}
