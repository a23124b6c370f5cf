//! Adapters over AWS: Amazon S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/>), Amazon Comprehend Medical
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/api/>), Amazon Transcribe's streams, the medical ones too
//! (<https://docs.aws.amazon.com/transcribe/latest/APIReference/API_Operations_Amazon_Transcribe_Streaming_Service.html>),
//! Amazon Translate (<https://docs.aws.amazon.com/translate/latest/APIReference/>), and AWS Secrets Manager
//! (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/>).

pub mod blobs;
mod connection;
pub mod extraction;
#[cfg(test)]
mod moto;
mod pieces;
#[cfg(test)]
mod rpc;
pub mod secrets;
pub mod transcribe;
pub mod translation;

pub use connection::{Connection, Identity};
