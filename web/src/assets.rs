//! The styles, scripts and icons, under an address that changes with their content
//! (RFC 8246, <https://www.rfc-editor.org/rfc/rfc8246>).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, include_dir};
use poem::http::StatusCode;
use poem::{Request, Response};
use sha2::{Digest as _, Sha256};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/static");
const LAYERS: &str = "@layer tokens, base, components, pages, print;\n";
/// The one stylesheet.
const STYLESHEET: &str = "css/seva.css";
const HASH_DIGITS: usize = 16;

struct Asset {
    kind: &'static str,
    plain: Bytes,
    packed: Bytes,
}

struct Bundle {
    hash: String,
    assets: BTreeMap<String, Asset>,
}

/// The address of an asset; nothing when there is no such asset.
pub(crate) fn address(path: &str) -> Option<String> {
    let bundle = bundle();
    bundle.assets.contains_key(path).then(|| format!("/static/{}/{path}", bundle.hash))
}

/// Answers a request below `/static/`.
pub(crate) fn serve(request: &Request, place: &[&str]) -> Option<Response> {
    let (hash, path) = place.split_first()?;
    let bundle = bundle();
    let asset = bundle.assets.get(&path.join("/"))?;
    let tag = format!("\"{}\"", bundle.hash);
    // An address of an older version still gets the newest file, which it must not keep.
    let keep = if *hash == bundle.hash { "public, max-age=31536000, immutable" } else { "no-cache" };
    let response = Response::builder()
        .header("etag", &tag)
        .header("cache-control", keep)
        .header("vary", "accept-encoding")
        .header("x-content-type-options", "nosniff");
    if request.header("if-none-match").is_some_and(|known| known.contains(&tag)) {
        return Some(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let packs = request.header("accept-encoding").is_some_and(|list| list.contains("gzip"));
    let response = response.content_type(asset.kind);
    if packs && asset.packed.len() < asset.plain.len() {
        return Some(response.header("content-encoding", "gzip").body(asset.packed.clone()));
    }
    Some(response.body(asset.plain.clone()))
}

/// The demo recording.
pub(crate) fn demo_recording() -> &'static [u8] {
    FILES.get_file("demo/dictation.flac").expect("it is compiled in").contents()
}

fn bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let mut assets = BTreeMap::new();
        let mut digest = Sha256::new();
        let mut add = |path: String, contents: &[u8]| {
            let Some(kind) = content_type(&path) else { return };
            digest.update(path.as_bytes());
            digest.update(contents);
            let asset = Asset { kind, plain: Bytes::copy_from_slice(contents), packed: pack(contents) };
            assets.insert(path, asset);
        };
        add(STYLESHEET.to_owned(), stylesheet().as_bytes());
        for file in below(&FILES) {
            let path = file.path().to_string_lossy().into_owned();
            if !path.starts_with("css/") {
                add(path, file.contents());
            }
        }
        let hash = hex::encode(digest.finalize()).chars().take(HASH_DIGITS).collect();
        Bundle { hash, assets }
    })
}

/// All styles in one file, each in the layer of its folder.
pub(crate) fn stylesheet() -> String {
    let mut whole = LAYERS.to_owned();
    let mut styles: Vec<_> = below(&FILES).into_iter().filter(|file| file.path().starts_with("css")).collect();
    styles.sort_by_key(|file| file.path());
    for file in styles {
        let path = file.path().to_string_lossy();
        let name = path.trim_start_matches("css/").trim_end_matches(".css");
        let layer = name.split('/').next().unwrap_or(name);
        let source = file.contents_utf8().expect("styles are text");
        whole.push_str(&format!("@layer {layer} {{\n{source}}}\n"));
    }
    whole
}

fn below<'d>(folder: &'d Dir<'d>) -> Vec<&'d include_dir::File<'d>> {
    folder.files().chain(folder.dirs().flat_map(below)).collect()
}

fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit('.').next()? {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}

fn pack(contents: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(contents).and_then(|()| encoder.finish());
    packed.map(Bytes::from).expect("memory takes every byte")
}

#[cfg(test)]
mod tests {
    use poem::Request;
    use poem::http::StatusCode;

    use super::{FILES, LAYERS, address, below, bundle, serve, stylesheet};

    fn get(path: &str, header: (&str, &str)) -> poem::Response {
        let request = Request::builder().header(header.0, header.1).finish();
        let place: Vec<&str> = path.trim_start_matches("/static/").split('/').collect();
        serve(&request, &place).expect("an asset")
    }

    #[test]
    fn an_asset_is_kept_for_ever_and_answered_by_its_tag() {
        let path = address("css/seva.css").expect("the stylesheet");
        let answer = get(&path, ("accept-encoding", "gzip, br"));
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert!(answer.headers()["cache-control"].to_str().expect("text").contains("immutable"));
        let tag = answer.headers()["etag"].to_str().expect("text").to_owned();
        assert_eq!(get(&path, ("if-none-match", &tag)).status(), StatusCode::NOT_MODIFIED);
        let old = get("/static/0/css/seva.css", ("accept-encoding", "identity"));
        assert_eq!(old.headers()["cache-control"], "no-cache");
        assert!(address("css/tokens.css").is_none() && address("demo/dictation.flac").is_none());
    }

    #[test]
    fn styles_keep_to_their_layers_and_budget() {
        let folders = ["tokens", "base", "components", "pages", "print"];
        for file in below(&FILES).into_iter().filter(|file| file.path().starts_with("css")) {
            let name = file.path().strip_prefix("css").expect("below css").to_string_lossy().into_owned();
            let layer = name.trim_end_matches(".css").split('/').next().unwrap_or_default().to_owned();
            assert!(folders.contains(&layer.as_str()) && LAYERS.contains(&layer), "{name}");
            let text = file.contents_utf8().expect("text");
            assert!(text.lines().count() <= 200, "{name} is longer than 200 lines");
            assert!(!text.contains("url(http") && !text.contains("@import"), "{name} loads from elsewhere");
            // Only `hidden` must win over the layers behind it.
            let shouts = text.lines().filter(|line| line.contains("!important") && !line.starts_with("[hidden]"));
            assert_eq!(shouts.count(), 0, "{name} shouts");
        }
        let asset = &bundle().assets["css/seva.css"];
        assert!(asset.packed.len() <= 20 * 1024, "{} bytes of packed CSS", asset.packed.len());
        assert_eq!(stylesheet().matches('{').count(), stylesheet().matches('}').count());
        let scripts = bundle().assets.iter().filter(|(path, _)| path.ends_with(".js"));
        let size: usize = scripts.map(|(_, asset)| asset.packed.len()).sum();
        assert!(size <= 40 * 1024, "{size} bytes of packed scripts");
    }
}
