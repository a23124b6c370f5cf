# seva on AWS: tasks without state on Fargate behind a TLS balancer, PostgreSQL on RDS, every datum under keys of ours.

locals {
  name = "seva-${var.environment}"

  # The services that are chosen, each with its region. In this one it gets an endpoint, in another one a way out of the network.
  services = merge(
    var.extraction == "embedded" ? {} : { (var.extraction) = var.extraction_region },
    var.speech == "embedded" ? {} : { (var.speech) = var.speech_region },
    var.translation == "none" ? {} : { (var.translation) = var.translation_region },
  )
  endpoints = {
    comprehend-medical = "comprehendmedical"
    transcribe         = "transcribestreaming"
    transcribe-medical = "transcribestreaming"
    amazon-translate   = "translate"
  }
  services_here  = [for name, region in local.services : local.endpoints[name] if region == var.region]
  services_there = [for name, region in local.services : name if region != var.region]
}

module "network" {
  source = "./modules/network"

  name            = local.name
  region          = var.region
  range           = var.network_range
  zones           = var.zones
  client_ranges   = var.client_ranges
  internet_egress = var.identity == "cognito" || length(local.services_there) > 0
  endpoints       = local.services_here
  log_group_arn   = module.observability.flow_log_group_arn
}

module "secrets" {
  source = "./modules/secrets"

  name             = local.name
  password_version = var.database_password_version
}

module "database" {
  source = "./modules/database"

  name              = local.name
  engine_version    = var.database_version
  instance_class    = var.database_class
  storage           = var.database_storage
  subnet_ids        = module.network.database_subnet_ids
  security_group_id = module.network.database_security_group_id
  password          = module.secrets.database_password
  password_version  = var.database_password_version
  secrets_key_arn   = module.secrets.key_arn
}

module "storage" {
  source = "./modules/storage"

  name = local.name
}

module "identity" {
  source = "./modules/identity"
  count  = var.identity == "cognito" ? 1 : 0

  name          = local.name
  region        = var.region
  callback_urls = var.callback_urls
}

module "observability" {
  source = "./modules/observability"

  name                       = local.name
  region                     = var.region
  alarm_email                = var.alarm_email
  database_identifier        = module.database.identifier
  database_storage           = var.database_storage
  balancer_arn_suffix        = module.service.balancer_arn_suffix
  target_group_arn_suffix    = module.service.target_group_arn_suffix
  cluster_name               = module.service.cluster_name
  service_name               = module.service.service_name
  database_connections_limit = 2 * var.connections * var.tasks.maximum
}

module "service" {
  source = "./modules/service"

  name            = local.name
  region          = var.region
  image_digest    = var.image_digest
  cpu             = var.task_cpu
  memory          = var.task_memory
  tasks           = var.tasks
  certificate_arn = var.certificate_arn

  network = {
    id                         = module.network.id
    public_subnet_ids          = module.network.public_subnet_ids
    private_subnet_ids         = module.network.private_subnet_ids
    balancer_security_group_id = module.network.balancer_security_group_id
    service_security_group_id  = module.network.service_security_group_id
  }

  logs = {
    group_name       = module.observability.log_group_name
    group_arn        = module.observability.log_group_arn
    access_bucket    = module.storage.access_log_bucket
    firewall_log_arn = module.observability.firewall_log_group_arn
  }

  bucket   = { arn = module.storage.bucket_arn, key_arn = module.storage.key_arn }
  services = local.services

  secrets_key_arn = module.secrets.key_arn
  secrets = {
    SEVA_DATABASE_URL    = module.database.url_secret_arn
    SEVA_DATA_MASTER_KEY = module.secrets.master_key_secret_arn
  }

  # Only keys that docs/operations.md lists: seva refuses to start with any other.
  # What is left empty is not set.
  environment = { for name, value in merge(
    {
      SEVA_SERVER_LISTEN        = "0.0.0.0:8080"
      SEVA_SERVER_PUBLIC_URL    = "https://${var.host}"
      SEVA_DATABASE_CONNECTIONS = tostring(var.connections)
      SEVA_LOG_LEVEL            = var.log_level
      SEVA_LOG_FORMAT           = "json"
      # A task's own disk is gone with the task: large files lie in the bucket.
      SEVA_BLOBS_STORE   = "s3"
      SEVA_BLOBS_BUCKET  = module.storage.bucket
      SEVA_BLOBS_REGION  = var.region
      SEVA_BLOBS_KMS_KEY = module.storage.key_arn
      # The load balancer lies in the network, and says who asks.
      SEVA_SERVER_TRUSTED_PROXIES = var.network_range
    },
    var.extraction == "embedded" ? {} : {
      SEVA_EXTRACTION_ENGINE = var.extraction
      SEVA_EXTRACTION_REGION = var.extraction_region
      SEVA_EXTRACTION_CODES  = join(",", var.extraction_codes)
    },
    var.speech == "embedded" ? {} : {
      SEVA_SPEECH_ENGINE     = var.speech
      SEVA_SPEECH_REGION     = var.speech_region
      SEVA_SPEECH_LANGUAGE   = var.speech_language
      SEVA_SPEECH_SPECIALTY  = var.speech_specialty
      SEVA_SPEECH_VOCABULARY = var.speech_vocabulary
    },
    var.translation == "none" ? {} : {
      SEVA_TRANSLATION_ENGINE        = var.translation
      SEVA_TRANSLATION_REGION        = var.translation_region
      SEVA_TRANSLATION_TERMINOLOGIES = join(",", var.translation_terminologies)
    },
    var.identity == "cognito" ? {
      SEVA_IDENTITY_ISSUER   = module.identity[0].issuer
      SEVA_IDENTITY_AUDIENCE = module.identity[0].client_id
    } : {},
  ) : name => value if value != "" }
}
