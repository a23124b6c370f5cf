use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use wiremock::matchers::{header, header_exists, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::connection::Identity;
use crate::moto::Moto;

const BUCKET: &str = "seva-blobs";

fn settings(endpoint: String) -> S3Settings {
    S3Settings {
        connection: Connection {
            region: "ap-south-1".to_owned(),
            endpoint: Some(endpoint),
            identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
            certificates: None,
        },
        bucket: BUCKET.to_owned(),
        prefix: "/ward/".to_owned(),
        kms_key: None,
    }
}

/// An S3 over a folder; it checks the signature of each request.
async fn serve(folder: &std::path::Path) -> String {
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).expect("a folder"));
    service.set_auth(SimpleAuth::from_single("test-key", "test-secret"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn s3_keeps_what_a_blob_store_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let endpoint = serve(folder.path()).await;
    let blobs = S3Blobs::new(settings(endpoint.clone())).await;
    let absent = blobs.health().await.expect_err("no bucket yet").to_string();
    assert!(absent.contains("there is no bucket \"seva-blobs\""), "{absent}");
    std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
    seva_clinic::testing::blob_store_contract(&blobs).await;
    let id = Uuid::from_u128(10);
    let file = folder.path().join(BUCKET).join("ward").join(TenantId::SHARED.get().to_string()).join(id.to_string());
    let mut bytes = std::fs::read(&file).expect("the object lies under prefix and tenant");
    // One bit is turned behind the store's back: the checksum tells.
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    std::fs::write(&file, bytes).expect("written");
    assert!(blobs.get(TenantId::SHARED, id, None).await.is_err(), "changed bytes are not handed out");
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
    let mut settings = settings(serve(folder.path()).await);
    settings.connection.identity = Identity::Fixed { key_id: "test-key".to_owned(), secret: "other".to_owned() };
    let blobs = S3Blobs::new(settings).await;
    let refused = blobs.put(TenantId::SHARED, Uuid::from_u128(1), "text/plain", b"x".to_vec()).await;
    let text = refused.expect_err("refused").to_string();
    assert!(text.contains("SignatureDoesNotMatch"), "{text}");
    let health = blobs.health().await.expect_err("refused").to_string();
    assert!(health.contains("may not list the bucket"), "{health}");
}

#[tokio::test]
async fn objects_are_encrypted_and_carry_their_checksum() {
    let server = MockServer::start().await;
    let id = Uuid::from_u128(3);
    let place = format!("/{BUCKET}/ward/{}/{id}", TenantId::SHARED.get());
    // SHA-256 of "abc" (FIPS 180-2, appendix B.1) in Base64.
    Mock::given(method("PUT"))
        .and(path(place.clone()))
        .and(header("x-amz-server-side-encryption", "aws:kms"))
        .and(header("x-amz-server-side-encryption-aws-kms-key-id", "key-1"))
        .and(header("x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let settings = S3Settings { kms_key: Some("key-1".to_owned()), ..settings(server.uri()) };
    let blobs = S3Blobs::new(settings).await;
    blobs.put(TenantId::SHARED, id, "application/pdf", b"abc".to_vec()).await.expect("stored");
}

#[tokio::test]
async fn a_busy_store_is_asked_again_within_bounds() {
    let server = MockServer::start().await;
    let busy = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(503).set_body_string(busy))
        .expect(u64::from(PATIENCE.attempts))
        .mount(&server)
        .await;
    let blobs = S3Blobs::new(settings(server.uri())).await;
    let failed = blobs.delete(TenantId::SHARED, Uuid::from_u128(1)).await.expect_err("busy");
    assert!(failed.to_string().contains("SlowDown"), "{failed}");
}

#[tokio::test]
async fn nobody_there_is_said_in_few_words() {
    let blobs = S3Blobs::new(settings("http://127.0.0.1:9".to_owned())).await;
    let away = blobs.health().await.expect_err("nobody").to_string();
    assert_eq!(away, "the blob store is not available: S3: no connection");
}

#[tokio::test]
async fn a_large_blob_goes_in_parts_and_comes_back_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
    let blobs = S3Blobs::new(settings(serve(folder.path()).await)).await;
    let large: Vec<u8> =
        (0..u32::try_from(2 * writing::PART + 5).expect("small")).map(|i| i.to_le_bytes()[1]).collect();
    let id = Uuid::from_u128(11);
    blobs.put(TenantId::SHARED, id, "audio/flac", large.clone()).await.expect("stored");
    let found = blobs.get(TenantId::SHARED, id, None).await.expect("an answer").expect("a blob");
    assert!(found.bytes == large, "all parts in their order");
    let last = blobs.get(TenantId::SHARED, id, Some(found.size - 5..found.size)).await.expect("an answer");
    assert_eq!(last.map(|part| part.bytes), large.get(2 * writing::PART..).map(<[u8]>::to_vec));
}

#[tokio::test]
async fn parts_carry_their_checksum_and_a_failed_upload_is_removed() {
    let server = MockServer::start().await;
    let begun = "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>";
    Mock::given(method("POST"))
        .and(header("x-amz-server-side-encryption", "AES256"))
        .and(header("x-amz-checksum-algorithm", "SHA256"))
        .respond_with(ResponseTemplate::new(200).set_body_string(begun))
        .expect(1)
        .mount(&server)
        .await;
    let refused = "<Error><Code>AccessDenied</Code></Error>";
    Mock::given(method("PUT"))
        .and(header_exists("x-amz-checksum-sha256"))
        .respond_with(ResponseTemplate::new(403).set_body_string(refused))
        .mount(&server)
        .await;
    let removed = Mock::given(method("DELETE")).and(query_param("uploadId", "u-1"));
    removed.respond_with(ResponseTemplate::new(204)).expect(1).mount(&server).await;
    let blobs = S3Blobs::new(settings(server.uri())).await;
    let failed = blobs.put(TenantId::SHARED, Uuid::from_u128(1), "audio/flac", vec![1; writing::PART + 1]).await;
    assert!(failed.expect_err("refused").to_string().contains("AccessDenied"));
}

#[tokio::test]
async fn moto_keeps_what_a_blob_store_promises() {
    let moto = Moto::start().await;
    let settings = S3Settings { connection: moto.connection(), ..settings(String::new()) };
    let blobs = S3Blobs::new(settings).await;
    let absent = blobs.health().await.expect_err("no bucket yet").to_string();
    assert!(absent.contains("there is no bucket \"seva-blobs\""), "{absent}");
    let place =
        "<CreateBucketConfiguration><LocationConstraint>ap-south-1</LocationConstraint></CreateBucketConfiguration>";
    moto.ask(&format!("PUT /{BUCKET}"), "s3", "", place).await;
    blobs.health().await.expect("a bucket");
    seva_clinic::testing::blob_store_contract(&blobs).await;
}

#[tokio::test]
async fn a_slow_store_ends_at_the_time_that_it_has() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(method("PUT")).respond_with(slow).mount(&server).await;
    let patience = Patience { attempt: Duration::from_millis(200), all: Duration::from_millis(500), attempts: 3 };
    let blobs = S3Blobs::waiting(settings(server.uri()), patience).await;
    let started = std::time::Instant::now();
    let late = blobs.put(TenantId::SHARED, Uuid::from_u128(1), "text/plain", b"x".to_vec()).await;
    let text = late.expect_err("no answer").to_string();
    assert!(text.contains("no answer in time"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
