//! seva-aws.
