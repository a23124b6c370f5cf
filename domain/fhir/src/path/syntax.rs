//! The syntax tree of FHIRPath (N1 grammar <http://hl7.org/fhirpath/N1/grammar.html>).

/// A two-sided operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Multiply,
    Divide,
    IntegerDivide,
    Modulo,
    Add,
    Subtract,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

/// A value written in an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// `{}`
    Empty,
    Boolean(bool),
    String(Box<str>),
    Integer(Box<str>),
    Decimal(Box<str>),
    /// Without the `@`.
    Date(Box<str>),
    DateTime(Box<str>),
    /// Without the `@T`.
    Time(Box<str>),
    Quantity(Box<str>, Box<str>),
}

/// A type's name, perhaps with its namespace (`FHIR.Patient`, `System.String`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) namespace: Option<Box<str>>,
    pub(super) name: Box<str>,
}

/// Any expression; a missing focus means the current context.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Literal(Literal),
    This,
    Index,
    Total,
    /// `%resource`, `` %`vs-name` `` and the like.
    Variable(Box<str>),
    Member(Option<Box<Expression>>, Box<str>),
    Call(Option<Box<Expression>>, Box<str>, Vec<Expression>),
    Item(Box<Expression>, Box<Expression>),
    Negate(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Is(Box<Expression>, TypeName),
    As(Box<Expression>, TypeName),
}
