//! Bundles written by copying the stored bytes: no resource is parsed on its way out.

use bytes::Bytes;
use seva_fhir::json::Json;

/// A Bundle under construction.
pub(super) struct BundleWriter {
    bytes: Vec<u8>,
    entries: usize,
}

/// A link of a Bundle.
pub(super) struct Link {
    pub(super) relation: &'static str,
    pub(super) url: String,
}

impl BundleWriter {
    pub(super) fn new(kind: &str, total: Option<u64>, links: &[Link], capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity + 512);
        bytes.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"");
        bytes.extend_from_slice(kind.as_bytes());
        bytes.push(b'"');
        if let Some(total) = total {
            bytes.extend_from_slice(format!(",\"total\":{total}").as_bytes());
        }
        if !links.is_empty() {
            bytes.extend_from_slice(b",\"link\":[");
            for (place, link) in links.iter().enumerate() {
                if place > 0 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(b"{\"relation\":\"");
                bytes.extend_from_slice(link.relation.as_bytes());
                bytes.extend_from_slice(b"\",\"url\":");
                Json::from(link.url.as_str()).write(&mut bytes);
                bytes.push(b'}');
            }
            bytes.push(b']');
        }
        Self { bytes, entries: 0 }
    }

    /// Appends members of the Bundle itself; they come before the entries.
    pub(super) fn member(&mut self, members: &str) {
        self.bytes.push(b',');
        self.bytes.extend_from_slice(members.as_bytes());
    }

    /// Appends an entry: members that come before the resource, the resource, members that come after it.
    pub(super) fn entry(&mut self, full_url: Option<&str>, resource: Option<&[u8]>, rest: &[u8]) {
        self.bytes.extend_from_slice(if self.entries == 0 { b",\"entry\":[{" } else { b",{" });
        self.entries += 1;
        let mut first = true;
        if let Some(url) = full_url {
            self.bytes.extend_from_slice(b"\"fullUrl\":");
            Json::from(url).write(&mut self.bytes);
            first = false;
        }
        if let Some(resource) = resource {
            self.comma(&mut first);
            self.bytes.extend_from_slice(b"\"resource\":");
            self.bytes.extend_from_slice(resource);
        }
        if !rest.is_empty() {
            self.comma(&mut first);
            self.bytes.extend_from_slice(rest);
        }
        self.bytes.push(b'}');
    }

    pub(super) fn finish(mut self) -> Bytes {
        self.bytes.extend_from_slice(if self.entries == 0 { b"}" } else { b"]}" });
        self.bytes.into()
    }

    fn comma(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.bytes.push(b',');
        }
    }
}
