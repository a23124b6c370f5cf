//! What the services are made of: adapters in the places of ports.

use std::sync::Arc;

use seva_clinic::blobs::{LargeBinaries, SealedBlobs};
use seva_clinic::commands::{CommandParts, CommandService};
use seva_clinic::dictation::{DictationParts, DictationService};
use seva_clinic::entities::EntityExtractor;
use seva_clinic::extracting::TextExtraction;
use seva_clinic::prescription::{PrescriptionParts, PrescriptionService};
use seva_clinic::review::{ReviewParts, ReviewService};
use seva_clinic::speech::SpeechEngine;
use seva_clinic::translation::{TranslationParts, TranslationService, Translator};
use seva_embedded::audio::EmbeddedAudioDecoder;
use seva_embedded::cipher::AesGcmCipher;
use seva_embedded::identity::Argon2Hasher;
use seva_embedded::print::KrillaPrinter;
use seva_fhir::access::{AccountStore, TokenVerifier};
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_fhir::jobs::{JobDesk, JobDeskParts};
use seva_fhir::{FhirService, FhirServiceParts};
use seva_http::{Authenticator, AuthenticatorParts, TokenKeys, new_signing_key};
use seva_postgres::{
    Database, PostgresAudit, PostgresAuditEvents, PostgresBlobs, PostgresConcepts, PostgresDictations, PostgresJobs,
    PostgresResources, PostgresReview, PostgresSecrets,
};
use seva_remote::issuer::IssuerVerifier;

use crate::configuration::Configuration;
use crate::{adapters, data_folder};

/// Keys and cipher of recordings and blobs.
pub(super) struct Sealed {
    recordings: Arc<PostgresDictations>,
    cipher: Arc<AesGcmCipher>,
}

/// What listens, and what reads the text that was heard.
pub(super) struct Heard<'a> {
    pub(super) speech: &'a Arc<dyn SpeechEngine>,
    pub(super) extractor: &'a Arc<dyn EntityExtractor>,
}

/// What the services are made of.
pub(super) struct Parts<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) database: &'a Database,
    pub(super) audit: PostgresAudit,
    pub(super) url: &'a str,
}

impl Parts<'_> {
    /// The store of resources, which keeps large files in the blob store.
    pub(super) fn resources(&self, blobs: &SealedBlobs) -> LargeBinaries {
        LargeBinaries {
            inner: Arc::new(PostgresResources::new(self.database)),
            blobs: blobs.clone(),
            register: Arc::new(PostgresBlobs::new(self.database)),
            ids: Arc::new(RandomIds),
        }
    }

    pub(super) fn fhir(&self, resources: &LargeBinaries) -> FhirService {
        FhirService::new(FhirServiceParts {
            store: Arc::new(resources.clone()),
            concepts: Arc::new(PostgresConcepts::new(self.database)),
            audit: Arc::new(self.audit.clone()),
            events: Arc::new(PostgresAuditEvents::new(self.database)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            base_url: format!("{}/fhir", self.url),
            level: self.configuration.validation.level.0,
        })
    }

    /// What recordings and blobs are sealed with.
    pub(super) fn sealed(&self) -> anyhow::Result<Sealed> {
        let data = &self.configuration.data;
        let master = data_folder::master_key(&data.folder, data.master_key.as_ref())?;
        let recordings = Arc::new(PostgresDictations::new(self.database));
        Ok(Sealed { recordings, cipher: Arc::new(AesGcmCipher::new(&master)) })
    }

    pub(super) async fn blobs(&self, sealed: &Sealed) -> anyhow::Result<SealedBlobs> {
        let store = adapters::blobs(self.configuration).await?;
        let Sealed { recordings, cipher } = sealed;
        Ok(SealedBlobs { store, keys: recordings.clone(), cipher: cipher.clone() })
    }

    pub(super) fn jobs(&self, blobs: &SealedBlobs) -> JobDesk {
        JobDesk::new(JobDeskParts {
            store: Arc::new(PostgresJobs::new(self.database)),
            files: Arc::new(blobs.clone()),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    pub(super) fn dictations(
        &self,
        fhir: &FhirService,
        heard: Heard<'_>,
        (sealed, blobs): (&Sealed, &SealedBlobs),
    ) -> DictationService {
        DictationService::new(DictationParts {
            fhir: fhir.clone(),
            store: sealed.recordings.clone(),
            uploads: sealed.recordings.clone(),
            decoder: Arc::new(EmbeddedAudioDecoder),
            blobs: blobs.store.clone(),
            archive: sealed.recordings.clone(),
            keys: sealed.recordings.clone(),
            cipher: sealed.cipher.clone(),
            speech: Arc::clone(heard.speech),
            extractor: Arc::clone(heard.extractor),
            lexicon: Arc::new(PostgresReview::new(self.database)),
            proposals: Arc::new(PostgresReview::new(self.database)),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            limits: self.configuration.dictation.limits(),
        })
    }

    pub(super) fn extraction(&self, extractor: &Arc<dyn EntityExtractor>) -> TextExtraction {
        TextExtraction {
            extractor: Arc::clone(extractor),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }

    pub(super) fn prescriptions(
        &self,
        fhir: &FhirService,
        (sealed, blobs): (&Sealed, &SealedBlobs),
    ) -> PrescriptionService {
        let kept = Arc::new(PostgresReview::new(self.database));
        PrescriptionService::new(PrescriptionParts {
            fhir: fhir.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            printer: Arc::new(KrillaPrinter),
            blobs: blobs.clone(),
            dictations: sealed.recordings.clone(),
            proposals: kept.clone(),
            lexicon: kept,
            register: Arc::new(PostgresBlobs::new(self.database)),
        })
    }

    pub(super) fn translations(
        &self,
        prescriptions: &PrescriptionService,
        translator: &Option<Arc<dyn Translator>>,
    ) -> TranslationService {
        TranslationService::new(TranslationParts {
            prescriptions: prescriptions.clone(),
            translator: translator.clone(),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
        })
    }

    pub(super) fn commands(&self, prescriptions: &PrescriptionService) -> CommandService {
        CommandService::new(CommandParts {
            prescriptions: prescriptions.clone(),
            log: Arc::new(PostgresReview::new(self.database)),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    pub(super) fn review(
        &self,
        fhir: &FhirService,
        dictations: &DictationService,
        prescriptions: &PrescriptionService,
    ) -> ReviewService {
        let kept = Arc::new(PostgresReview::new(self.database));
        ReviewService::new(ReviewParts {
            fhir: fhir.clone(),
            dictations: dictations.clone(),
            prescriptions: prescriptions.clone(),
            marks: kept.clone(),
            lexicon: kept.clone(),
            proposals: kept,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    pub(super) async fn authenticator(
        &self,
        accounts: &Arc<dyn AccountStore>,
        external: Option<Arc<IssuerVerifier>>,
    ) -> anyhow::Result<Authenticator> {
        let key = PostgresSecrets::new(self.database).get_or_store("token-key", &new_signing_key()?).await?;
        Ok(Authenticator::new(AuthenticatorParts {
            accounts: Arc::clone(accounts),
            hasher: Arc::new(Argon2Hasher),
            audit: Arc::new(self.audit.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            keys: TokenKeys::new(&key, self.url)?,
            external: external.map(|verifier| verifier as Arc<dyn TokenVerifier>),
        }))
    }
}
