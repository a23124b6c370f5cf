//! Parses FHIRPath by precedence (N1 <http://hl7.org/fhirpath/N1/#operator-precedence>).

use super::PathError;
use super::lexer::{Token, tokens};
use super::syntax::{Expression, Literal, Operator, TypeName};

/// Deeper nesting is refused, so that no text overflows the stack.
const MAX_DEPTH: usize = 64;
/// Longer texts are refused; R4's longest invariant has 1,700 characters.
const MAX_LENGTH: usize = 16_384;

const TYPE_PRECEDENCE: u8 = 7;

/// Parses a whole expression.
pub(super) fn parse(text: &str) -> Result<Expression, PathError> {
    if text.len() > MAX_LENGTH {
        return Err(PathError::TooComplex);
    }
    let mut parser = Parser { tokens: tokens(text)?, position: 0, depth: 0 };
    let expression = parser.expression(0)?;
    if parser.position < parser.tokens.len() {
        return Err(PathError::Syntax("the expression goes on after its end".into()));
    }
    Ok(expression)
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(own)) if *own == symbol);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), PathError> {
        if self.accept(symbol) { Ok(()) } else { Err(PathError::Syntax(format!("`{symbol}` must stand here"))) }
    }

    fn next(&mut self) -> Result<Token, PathError> {
        let token = self.peek().cloned().ok_or_else(|| PathError::Syntax("the expression ends too early".into()))?;
        self.position += 1;
        Ok(token)
    }

    fn expression(&mut self, minimum: u8) -> Result<Expression, PathError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PathError::TooComplex);
        }
        let result = self.operators(minimum);
        self.depth -= 1;
        result
    }

    fn operators(&mut self, minimum: u8) -> Result<Expression, PathError> {
        let mut left = self.unary()?;
        let mut chain = 0;
        loop {
            // A long chain is a deep tree, which the evaluator walks recursively.
            chain += 1;
            if chain > MAX_DEPTH * 4 {
                return Err(PathError::TooComplex);
            }
            if let Some(word @ ("is" | "as")) = self.word()
                && minimum <= TYPE_PRECEDENCE
            {
                let is = word == "is";
                self.position += 1;
                let name = self.type_name()?;
                left = if is { Expression::Is(Box::new(left), name) } else { Expression::As(Box::new(left), name) };
                continue;
            }
            let Some((operator, precedence)) = self.operator() else {
                return Ok(left);
            };
            if precedence < minimum {
                return Ok(left);
            }
            self.position += 1;
            let right = self.expression(precedence + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let text = match self.peek()? {
            Token::Word(word) => word.as_ref(),
            Token::Symbol(symbol) => symbol,
            _ => return None,
        };
        Some(match text {
            "implies" => (Operator::Implies, 1),
            "or" => (Operator::Or, 2),
            "xor" => (Operator::Xor, 2),
            "and" => (Operator::And, 3),
            "in" => (Operator::In, 4),
            "contains" => (Operator::Contains, 4),
            "=" => (Operator::Equal, 5),
            "~" => (Operator::Equivalent, 5),
            "!=" => (Operator::NotEqual, 5),
            "!~" => (Operator::NotEquivalent, 5),
            "<" => (Operator::Less, 6),
            "<=" => (Operator::LessOrEqual, 6),
            ">" => (Operator::Greater, 6),
            ">=" => (Operator::GreaterOrEqual, 6),
            "|" => (Operator::Union, 8),
            "+" => (Operator::Add, 9),
            "-" => (Operator::Subtract, 9),
            "&" => (Operator::Concatenate, 9),
            "*" => (Operator::Multiply, 10),
            "/" => (Operator::Divide, 10),
            "div" => (Operator::IntegerDivide, 10),
            "mod" => (Operator::Modulo, 10),
            _ => return None,
        })
    }

    fn unary(&mut self) -> Result<Expression, PathError> {
        if self.accept("-") {
            return Ok(Expression::Negate(Box::new(self.expression(11)?)));
        }
        if self.accept("+") {
            return self.expression(11);
        }
        let mut focus = self.term()?;
        let mut chain = 0;
        loop {
            chain += 1;
            if chain > MAX_DEPTH * 2 {
                return Err(PathError::TooComplex);
            }
            if self.accept(".") {
                focus = self.invocation(Some(Box::new(focus)))?;
            } else if self.accept("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                focus = Expression::Item(Box::new(focus), Box::new(index));
            } else {
                return Ok(focus);
            }
        }
    }

    fn term(&mut self) -> Result<Expression, PathError> {
        match self.next()? {
            Token::Symbol("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("{") => {
                self.expect("}")?;
                Ok(Expression::Literal(Literal::Empty))
            }
            Token::Symbol("%") => match self.next()? {
                Token::Word(name) | Token::Quoted(name) | Token::String(name) => Ok(Expression::Variable(name)),
                _ => Err(PathError::Syntax("a variable's name must follow %".into())),
            },
            Token::String(text) => Ok(Expression::Literal(Literal::String(text))),
            Token::Moment(text) => Ok(Expression::Literal(moment(&text))),
            Token::Number(number) => Ok(Expression::Literal(self.number(number))),
            Token::Word(word) if matches!(word.as_ref(), "true" | "false") => {
                Ok(Expression::Literal(Literal::Boolean(word.as_ref() == "true")))
            }
            _ => {
                self.position -= 1;
                self.invocation(None)
            }
        }
    }

    fn invocation(&mut self, focus: Option<Box<Expression>>) -> Result<Expression, PathError> {
        let name = match self.next()? {
            Token::Special(name) if focus.is_none() => {
                return match name.as_ref() {
                    "this" => Ok(Expression::This),
                    "index" => Ok(Expression::Index),
                    "total" => Ok(Expression::Total),
                    _ => Err(PathError::Syntax("only $this, $index and $total exist".into())),
                };
            }
            Token::Quoted(name) => return Ok(Expression::Member(focus, name)),
            Token::Word(name) => name,
            _ => return Err(PathError::Syntax("a name must stand here".into())),
        };
        if !self.accept("(") {
            return Ok(Expression::Member(focus, name));
        }
        let mut arguments = Vec::new();
        if !self.accept(")") {
            loop {
                arguments.push(self.expression(0)?);
                if self.accept(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(Expression::Call(focus, name, arguments))
    }

    fn type_name(&mut self) -> Result<TypeName, PathError> {
        let mut names = vec![self.name()?];
        while self.accept(".") {
            names.push(self.name()?);
        }
        let name = names.pop().unwrap_or_default();
        Ok(TypeName { namespace: names.pop(), name })
    }

    fn name(&mut self) -> Result<Box<str>, PathError> {
        match self.next()? {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => Err(PathError::Syntax("a type's name must stand here".into())),
        }
    }

    /// A number, with a unit if a string or a calendar word follows.
    fn number(&mut self, number: Box<str>) -> Literal {
        let unit = match self.peek() {
            Some(Token::String(unit)) => Some(unit.clone()),
            Some(Token::Word(word)) => calendar_unit(word).map(|_| word.clone()),
            _ => None,
        };
        match unit {
            Some(unit) => {
                self.position += 1;
                Literal::Quantity(number, unit)
            }
            None if number.contains('.') => Literal::Decimal(number),
            None => Literal::Integer(number),
        }
    }
}

/// Returns the singular of a calendar word.
pub(super) fn calendar_unit(word: &str) -> Option<&'static str> {
    let units = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"];
    units.into_iter().find(|unit| word == *unit || word.strip_suffix('s') == Some(unit))
}

fn moment(text: &str) -> Literal {
    if let Some(time) = text.strip_prefix('T') {
        Literal::Time(time.into())
    } else if text.contains('T') {
        Literal::DateTime(text.trim_end_matches('T').into())
    } else {
        Literal::Date(text.into())
    }
}
