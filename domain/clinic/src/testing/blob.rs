//! What every blob store promises: bytes come back whole and in ranges, each tenant alone, until they are deleted.

use seva_fhir::types::TenantId;
use uuid::Uuid;

use crate::dictation::{BlobContent, BlobError, BlobStore};

/// Checks an empty, working store against the port's promises.
pub async fn blob_store_contract(blobs: &dyn BlobStore) {
    blobs.health().await.expect("a working store is healthy");
    let (tenant, id) = (TenantId::SHARED, Uuid::from_u128(7));
    assert!(read(blobs, tenant, id).await.is_none(), "there is nothing yet");
    let stored = b"0123456789".to_vec();
    blobs.put(tenant, id, "application/pdf", stored.clone()).await.expect("stored");
    blobs.put(tenant, id, "application/pdf", stored.clone()).await.expect("the same once more is no error");
    let whole = read(blobs, tenant, id).await.expect("a blob");
    assert_eq!((whole.content_type.as_str(), whole.size), ("application/pdf", 10), "type and size are kept");
    assert_eq!(whole.bytes, stored, "the bytes are kept");
    check_ranges(blobs, tenant, id).await;
    let other = TenantId::try_from(2).expect("a tenant");
    assert!(read(blobs, other, id).await.is_none(), "another tenant sees nothing");
    check_sizes(blobs, tenant).await;
    check_pieces(blobs, tenant).await;
    blobs.delete(other, id).await.expect("another tenant's deletion changes nothing");
    assert!(read(blobs, tenant, id).await.is_some(), "the blob is still there");
    blobs.delete(tenant, id).await.expect("deleted");
    blobs.delete(tenant, id).await.expect("deleting again is no error");
    assert!(read(blobs, tenant, id).await.is_none(), "it is gone");
}

async fn read(blobs: &dyn BlobStore, tenant: TenantId, id: Uuid) -> Option<BlobContent> {
    blobs.get(tenant, id, None).await.expect("an answer")
}

async fn check_ranges(blobs: &dyn BlobStore, tenant: TenantId, id: Uuid) {
    for (range, expected) in [(3..6, "345"), (0..10, "0123456789"), (9..10, "9"), (4..4, ""), (10..10, "")] {
        let part = blobs.get(tenant, id, Some(range.clone())).await.expect("an answer").expect("a blob");
        assert_eq!(part.bytes, expected.as_bytes(), "the bytes of {range:?}");
        assert_eq!(part.size, 10, "the size of the whole comes with a part");
    }
    for range in [3..11, 10..11, 20..30] {
        let refused = blobs.get(tenant, id, Some(range.clone())).await;
        assert!(matches!(refused, Err(BlobError::Range { size: 10 })), "{range:?} lies outside");
    }
    let absent = blobs.get(tenant, Uuid::from_u128(8), Some(0..1)).await.expect("an answer");
    assert!(absent.is_none(), "a range of nothing is nothing");
}

async fn check_sizes(blobs: &dyn BlobStore, tenant: TenantId) {
    let empty = Uuid::from_u128(9);
    blobs.put(tenant, empty, "text/plain", Vec::new()).await.expect("stored");
    assert_eq!(read(blobs, tenant, empty).await.expect("a blob").bytes, b"", "an empty blob is a blob");
    let large: Vec<u8> = (0..3_000_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    let id = Uuid::from_u128(10);
    blobs.put(tenant, id, "audio/flac", large.clone()).await.expect("stored");
    assert!(read(blobs, tenant, id).await.expect("a blob").bytes == large, "a large blob is kept");
}

async fn check_pieces(blobs: &dyn BlobStore, tenant: TenantId) {
    let (id, kind) = (Uuid::from_u128(11), "application/octet-stream");
    blobs.write(tenant, id, kind).await.expect("begun").finish().await.expect("finished");
    assert_eq!(read(blobs, tenant, id).await.expect("a blob").bytes, b"", "without pieces it is empty");
    // Seven pieces of 3 MB: more than S3 takes in one part, and none of them a multiple of its parts.
    let piece: Vec<u8> = (0..3_000_001_u32).map(|index| index.to_be_bytes()[3]).collect();
    let mut writer = blobs.write(tenant, id, kind).await.expect("begun");
    for _ in 0..7 {
        writer.append(piece.clone()).await.expect("a piece");
    }
    assert_eq!(read(blobs, tenant, id).await.expect("a blob").size, 0, "before its end the blob is what it was");
    writer.finish().await.expect("finished");
    let whole = read(blobs, tenant, id).await.expect("a blob");
    assert!(whole.content_type == kind && whole.bytes == piece.repeat(7), "the pieces lie one behind the other");
    let other = Uuid::from_u128(12);
    let mut writer = blobs.write(tenant, other, kind).await.expect("begun");
    writer.append(piece.repeat(3)).await.expect("a piece");
    writer.abandon().await;
    assert!(read(blobs, tenant, other).await.is_none(), "what was abandoned is not there");
}
