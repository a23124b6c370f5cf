//! Reads a query (GraphQL <https://spec.graphql.org/October2021/#sec-Document>): queries and fragments; what changes the
//! record goes through REST.

use std::collections::VecDeque;

use super::GraphError;
use super::lexer::{Token, tokens};
use super::syntax::{Directive, Document, Field, Fragment, Operation, Selection, Value};

/// Deeper nesting is not read.
const DEEPEST: usize = 24;

type Parsed<T> = Result<T, GraphError>;

pub(crate) fn parse(text: &str) -> Parsed<Document> {
    let mut parser = Parser { tokens: tokens(text)?.into(), depth: 0 };
    let mut document = Document::default();
    while let Some(token) = parser.tokens.front() {
        match token {
            Token::Mark('{') => {
                let selection = parser.selection()?;
                document.operations.push(Operation { selection, ..Operation::default() });
            }
            Token::Name(word) if word == "query" => document.operations.push(parser.operation()?),
            Token::Name(word) if word == "fragment" => {
                let (name, fragment) = parser.fragment()?;
                document.fragments.insert(name, fragment);
            }
            Token::Name(word) if word == "mutation" || word == "subscription" => {
                return Err(GraphError::Query(format!("a {word} is not offered: the record is changed by REST")));
            }
            other => return Err(unexpected(Some(other))),
        }
    }
    if document.operations.is_empty() {
        return Err(GraphError::Syntax("it asks for nothing".to_owned()));
    }
    Ok(document)
}

struct Parser {
    tokens: VecDeque<Token>,
    depth: usize,
}

fn unexpected(token: Option<&Token>) -> GraphError {
    GraphError::Syntax(match token {
        None => "it ends too early".to_owned(),
        Some(Token::Name(name)) => format!("{name:?} was not expected here"),
        Some(Token::Number(digits)) => format!("{digits} was not expected here"),
        Some(Token::Text(_)) => "a string was not expected here".to_owned(),
        Some(Token::Spread) => "\"...\" was not expected here".to_owned(),
        Some(Token::Mark(mark)) => format!("{mark:?} was not expected here"),
    })
}

impl Parser {
    fn takes(&mut self, mark: char) -> bool {
        let fits = self.tokens.front() == Some(&Token::Mark(mark));
        if fits {
            self.tokens.pop_front();
        }
        fits
    }

    fn expect(&mut self, mark: char) -> Parsed<()> {
        if self.takes(mark) { Ok(()) } else { Err(unexpected(self.tokens.front())) }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.tokens.pop_front() {
            Some(Token::Name(name)) => Ok(name),
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let fits = matches!(self.tokens.front(), Some(Token::Name(name)) if name == word);
        if fits {
            self.tokens.pop_front();
        }
        fits
    }

    fn operation(&mut self) -> Parsed<Operation> {
        self.name()?;
        let name = match self.tokens.front() {
            Some(Token::Name(_)) => Some(self.name()?),
            _ => None,
        };
        let mut variables = Vec::new();
        if self.takes('(') {
            while !self.takes(')') {
                self.expect('$')?;
                let name = self.name()?;
                self.expect(':')?;
                self.type_name()?;
                let default = if self.takes('=') { Some(self.value()?) } else { None };
                variables.push((name, default));
            }
        }
        self.directives()?;
        Ok(Operation { name, variables, selection: self.selection()? })
    }

    /// The type of a variable is read and not checked: arguments are texts of searches.
    fn type_name(&mut self) -> Parsed<()> {
        self.nested(|parser| {
            if parser.takes('[') {
                parser.type_name()?;
                parser.expect(']')?;
            } else {
                parser.name()?;
            }
            parser.takes('!');
            Ok(())
        })
    }

    fn fragment(&mut self) -> Parsed<(String, Fragment)> {
        self.name()?;
        let name = self.name()?;
        if !self.takes_word("on") {
            return Err(unexpected(self.tokens.front()));
        }
        let on = self.name()?;
        self.directives()?;
        Ok((name, Fragment { on, selection: self.selection()? }))
    }

    fn selection(&mut self) -> Parsed<Vec<Selection>> {
        self.nested(|parser| {
            parser.expect('{')?;
            let mut list = Vec::new();
            while !parser.takes('}') {
                list.push(parser.selected()?);
            }
            if list.is_empty() { Err(GraphError::Syntax("a selection is empty".to_owned())) } else { Ok(list) }
        })
    }

    fn selected(&mut self) -> Parsed<Selection> {
        if self.tokens.front() != Some(&Token::Spread) {
            return self.field().map(Selection::Field);
        }
        self.tokens.pop_front();
        if self.takes_word("on") {
            let on = Some(self.name()?);
            return Ok(Selection::Inline { on, directives: self.directives()?, selection: self.selection()? });
        }
        if let Some(Token::Name(_)) = self.tokens.front() {
            let name = self.name()?;
            return Ok(Selection::Spread { name, directives: self.directives()? });
        }
        Ok(Selection::Inline { on: None, directives: self.directives()?, selection: self.selection()? })
    }

    fn field(&mut self) -> Parsed<Field> {
        let mut field = Field { name: self.name()?, ..Field::default() };
        if self.takes(':') {
            field.alias = Some(std::mem::replace(&mut field.name, self.name()?));
        }
        field.arguments = self.arguments()?;
        field.directives = self.directives()?;
        if self.tokens.front() == Some(&Token::Mark('{')) {
            field.selection = self.selection()?;
        }
        Ok(field)
    }

    fn arguments(&mut self) -> Parsed<Vec<(String, Value)>> {
        let mut arguments = Vec::new();
        if self.takes('(') {
            while !self.takes(')') {
                let name = self.name()?;
                self.expect(':')?;
                arguments.push((name, self.value()?));
            }
        }
        Ok(arguments)
    }

    fn directives(&mut self) -> Parsed<Vec<Directive>> {
        let mut directives = Vec::new();
        while self.takes('@') {
            let name = self.name()?;
            directives.push(Directive { name, arguments: self.arguments()? });
        }
        Ok(directives)
    }

    fn value(&mut self) -> Parsed<Value> {
        self.nested(|parser| match parser.tokens.pop_front() {
            Some(Token::Mark('$')) => parser.name().map(Value::Variable),
            Some(Token::Mark('[')) => {
                let mut items = Vec::new();
                while !parser.takes(']') {
                    items.push(parser.value()?);
                }
                Ok(Value::List(items))
            }
            Some(Token::Name(word)) => Ok(match word.as_str() {
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                "null" => Value::Null,
                _ => Value::Text(word),
            }),
            Some(Token::Number(text) | Token::Text(text)) => Ok(Value::Text(text)),
            other => Err(unexpected(other.as_ref())),
        })
    }

    /// A query that nests for ever would take the stack.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(GraphError::Syntax(format!("it nests deeper than {DEEPEST}")));
        }
        let done = read(self);
        self.depth -= 1;
        done
    }
}
