//! Time and randomness as arguments, so that every test can be a snapshot.

use crate::types::{Instant, ResourceId};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current time, UTC.
    fn now(&self) -> Instant;
}

/// Makes new identifiers.
pub trait IdSource: Send + Sync {
    /// A new random identifier, unguessable.
    fn new_uuid(&self) -> uuid::Uuid;

    /// A new id for a resource.
    fn new_resource_id(&self) -> ResourceId {
        ResourceId::from(self.new_uuid())
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the machine's clock")]
    fn now(&self) -> Instant {
        Instant::from_micros(chrono::Utc::now().timestamp_micros())
    }
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one home of random identifiers")]
    fn new_uuid(&self) -> uuid::Uuid {
        uuid::Uuid::new_v4()
    }
}
