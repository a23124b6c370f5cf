//! Adapters over AWS: Amazon S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/>) and Amazon Comprehend Medical
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/api/>).

pub mod blobs;
mod connection;
pub mod extraction;

pub use connection::{Connection, Identity};
