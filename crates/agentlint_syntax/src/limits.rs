//! The refusal of input that nests so deep that a recursive parser would overflow its stack.
//!
//! Delimiters are counted, and so are the tokens on the way down to a place that no `;`, `,` or closed block separates: every
//! construct that nests without delimiters (`!!x`, `&&T`, `a.b().c()`, `if … else if …`, `A<A<A<…`) costs at least one of them
//! a level. Tokens that make a parser recurse weigh more than those of chains that it reads in a loop.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::scanner::Coarse;

/// The stack that a thread needs for any call into this crate, and for walking what it gives back.
pub const STACK_SIZE: usize = 64 << 20;

const DELIMITERS: u32 = 256;
/// The most that the tokens on one path may weigh. Of all constructs generic arguments take the most stack for their weight:
/// syn, optimised a little, and lowering, not optimised, need 1.6 KiB for each unit, so that 38 MiB are the most in all.
const WEIGHT: u32 = 24_000;
/// What begins an operand: a prefix operator, a keyword. Also the second half of an operator.
const PREFIX: u32 = 3;
const ANGLE: u32 = 5;

pub(crate) const MESSAGE: &str = "nested too deeply to be read";

/// Counts the nesting of tokens that are fed to it in order.
pub(crate) struct Nesting {
    levels: Vec<Level>,
    delimiters: u32,
    /// The sum of the levels' weights.
    weight: u32,
    previous: Previous,
    /// The second half of `||`, which opens no list of parameters.
    skip_pipe: bool,
}

/// Within a delimiter, or within a `<` that has not been closed: a comma ends only the innermost.
#[derive(Default)]
struct Level {
    weight: u32,
    is_angle: bool,
    /// Between the bars of a closure, where commas separate nothing.
    in_parameters: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Previous {
    /// After it an expression goes on: `|` is an operator.
    Operand,
    Literal,
    /// After it one begins: `|` opens a closure.
    Prefix,
    ClosedBlock,
    Punct(u8),
}

impl Nesting {
    pub(crate) fn new() -> Nesting {
        Nesting { levels: vec![Level::default()], delimiters: 0, weight: 0, previous: Previous::Prefix, skip_pipe: false }
    }

    /// How many delimiters are open.
    pub(crate) fn depth(&self) -> u32 {
        self.delimiters
    }

    /// Takes the next token; `Err` when it lies too deep.
    pub(crate) fn feed(&mut self, token: Coarse<'_>) -> Result<(), ()> {
        let before = self.previous;
        let mut weight = 1;
        self.previous = match token {
            Coarse::Comment(_) | Coarse::Documentation(_) => return Ok(()),
            Coarse::Word(word) => {
                // What follows a block and does not continue its expression begins something new.
                if before == Previous::ClosedBlock && !matches!(word, "else" | "as") {
                    self.restart();
                }
                if opens_expression(word) {
                    weight = PREFIX;
                    Previous::Prefix
                } else {
                    Previous::Operand
                }
            }
            Coarse::Literal | Coarse::Lifetime => {
                // Two literals in a row are only found in tables that some macro reads.
                if matches!(before, Previous::ClosedBlock | Previous::Literal) {
                    self.restart();
                }
                if token == Coarse::Literal { Previous::Literal } else { Previous::Prefix }
            }
            Coarse::Open => {
                self.count(1)?;
                self.levels.push(Level::default());
                self.delimiters += 1;
                self.previous = Previous::Prefix;
                return if self.delimiters > DELIMITERS { Err(()) } else { Ok(()) };
            }
            Coarse::Close(delimiter) => {
                self.close_angles();
                // An unbalanced one is the lexer's to report.
                if self.levels.len() > 1 {
                    self.pop();
                    self.delimiters -= 1;
                }
                self.previous = if delimiter == b'}' { Previous::ClosedBlock } else { Previous::Operand };
                return Ok(());
            }
            Coarse::Punct(byte, next) => {
                if matches!(before, Previous::Prefix | Previous::Punct(_)) || matches!(byte, b'=' | b'@') {
                    weight = PREFIX;
                }
                self.punct(byte, next, before)?
            }
        };
        self.count(weight)
    }

    fn punct(&mut self, byte: u8, next: u8, before: Previous) -> Result<Previous, ()> {
        match byte {
            b';' => {
                self.restart();
                return Ok(Previous::Prefix);
            }
            b'#' if before == Previous::ClosedBlock => self.restart(),
            b',' => {
                if let Some(level) = self.levels.last_mut()
                    && !level.in_parameters
                {
                    self.weight -= level.weight;
                    level.weight = 0;
                }
            }
            b'<' if !matches!(next, b'=' | b'-') => {
                self.count(ANGLE)?;
                self.levels.push(Level { is_angle: true, ..Level::default() });
            }
            b'>' if !matches!(before, Previous::Punct(b'-' | b'=')) => {
                if self.levels.last().is_some_and(|level| level.is_angle) {
                    self.pop();
                }
                return Ok(Previous::Operand);
            }
            b'|' => self.pipe(next, before),
            b'?' => return Ok(Previous::Operand),
            _ => {}
        }
        Ok(Previous::Punct(byte))
    }

    fn pipe(&mut self, next: u8, before: Previous) {
        if self.skip_pipe {
            self.skip_pipe = false;
        } else if next == b'|' {
            self.skip_pipe = true;
        } else if let Some(level) = self.levels.last_mut() {
            let opens = matches!(before, Previous::Prefix | Previous::Punct(_));
            level.in_parameters = !level.in_parameters && opens;
        }
    }

    fn count(&mut self, weight: u32) -> Result<(), ()> {
        if let Some(level) = self.levels.last_mut() {
            level.weight += weight;
        }
        self.weight += weight;
        if self.weight > WEIGHT { Err(()) } else { Ok(()) }
    }

    /// Begins a statement, an item or an arm inside the same delimiter.
    fn restart(&mut self) {
        self.close_angles();
        self.pop();
        self.levels.push(Level::default());
    }

    fn close_angles(&mut self) {
        while self.levels.last().is_some_and(|level| level.is_angle) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.weight -= level.weight;
        }
    }
}

fn opens_expression(word: &str) -> bool {
    matches!(
        word,
        "move"
            | "async"
            | "return"
            | "static"
            | "in"
            | "else"
            | "match"
            | "if"
            | "while"
            | "break"
            | "yield"
            | "const"
            | "for"
            | "become"
            | "box"
            | "yeet"
            | "use"
            | "gen"
            | "mut"
            | "raw"
    )
}

/// Whether `tokens` may be given to a recursive parser.
pub(crate) fn check(tokens: &TokenStream) -> Result<(), ()> {
    let mut nesting = Nesting::new();
    let mut path = vec![(tokens.clone().into_iter().peekable(), Delimiter::None)];
    while let Some((trees, delimiter)) = path.last_mut() {
        let Some(tree) = trees.next() else {
            // The last one closes nothing, and does no harm.
            nesting.feed(Coarse::Close(if *delimiter == Delimiter::Brace { b'}' } else { b')' }))?;
            path.pop();
            continue;
        };
        match tree {
            TokenTree::Ident(ident) => nesting.feed(Coarse::Word(&ident.to_string()))?,
            TokenTree::Literal(_) => nesting.feed(Coarse::Literal)?,
            TokenTree::Punct(punct) => {
                let next = match trees.peek() {
                    Some(TokenTree::Punct(next)) if punct.spacing() == Spacing::Joint => next.as_char() as u8,
                    _ => 0,
                };
                nesting.feed(Coarse::Punct(punct.as_char() as u8, next))?;
            }
            TokenTree::Group(group) => {
                // Also an invisible one: `syn` recurses into it all the same.
                nesting.feed(Coarse::Open)?;
                path.push((group.stream().into_iter().peekable(), group.delimiter()));
            }
        }
    }
    Ok(())
}
