variable "region" {
  description = "AWS region that holds everything; never guessed, since it decides where health data lies."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region must look like ap-south-1."
  }
}

variable "environment" {
  description = "Name of the environment; part of every resource's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "The environment must be 2 to 12 lower-case letters and digits, a letter first."
  }
}

variable "host" {
  description = "Host name that clients use, without scheme; its DNS record must point at the output balancer_dns_name."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.host))
    error_message = "The host must be a full name in lower case, without scheme and path."
  }
}

variable "certificate_arn" {
  description = "ARN of the ACM certificate of the host."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "The certificate must be the ARN of an ACM certificate."
  }
}

variable "image_digest" {
  description = "Digest of the image in the repository that this configuration makes; a tag could change unseen."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "The digest must be sha256: and 64 hexadecimal digits."
  }
}

variable "network_range" {
  description = "IPv4 range of the network."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.network_range, 0)) && can(regex("/(16|17|18|19|20)$", var.network_range))
    error_message = "The range must be an IPv4 CIDR block of /16 to /20."
  }
}

variable "client_ranges" {
  description = "IPv4 ranges whose clients may connect; a hospital's own, or 0.0.0.0/0."
  type        = list(string)

  validation {
    condition     = length(var.client_ranges) > 0 && alltrue([for range in var.client_ranges : can(cidrhost(range, 0))])
    error_message = "At least one range, each an IPv4 CIDR block."
  }
}

variable "zones" {
  description = "Availability zones that everything stands in, by name: a zone more in the region must change nothing."
  type        = list(string)

  validation {
    condition = (
      contains([2, 3], length(var.zones)) && length(distinct(var.zones)) == length(var.zones) &&
      alltrue([for zone in var.zones : startswith(zone, var.region)])
    )
    error_message = "Two or three different zones of the region, such as ap-south-1a."
  }
}

variable "database_version" {
  description = "Major version of PostgreSQL."
  type        = string
  default     = "17"

  validation {
    condition     = contains(["15", "16", "17"], var.database_version)
    error_message = "PostgreSQL 15, 16 or 17."
  }
}

variable "database_class" {
  description = "Instance class of the database."
  type        = string
  default     = "db.m7g.large"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_class))
    error_message = "The class must look like db.m7g.large."
  }
}

variable "database_storage" {
  description = "Storage of the database in GiB at the start; it grows to four times as much."
  type        = number
  default     = 100

  validation {
    condition     = var.database_storage >= 20 && var.database_storage <= 16384
    error_message = "20 to 16384 GiB."
  }
}

variable "database_password_version" {
  description = "Raise by one to give the database a new password; restart the tasks afterwards."
  type        = number
  default     = 1

  validation {
    condition     = var.database_password_version >= 1 && floor(var.database_password_version) == var.database_password_version
    error_message = "A whole number from 1."
  }
}

variable "task_cpu" {
  description = "CPU units of a task; 1024 are one virtual CPU."
  type        = number
  default     = 2048

  validation {
    condition     = contains([1024, 2048, 4096], var.task_cpu)
    error_message = "1024, 2048 or 4096."
  }
}

variable "task_memory" {
  description = "Memory of a task in MiB."
  type        = number
  default     = 4096

  validation {
    condition     = var.task_memory >= 2 * var.task_cpu && var.task_memory <= 7 * var.task_cpu && var.task_memory % 1024 == 0
    error_message = "Whole GiB, two to seven for each virtual CPU: all of that is offered by Fargate."
  }
}

variable "tasks" {
  description = "The fewest and the most tasks that run; more than one only once seva shares its work between nodes (docs/operations.md)."
  type        = object({ minimum = number, maximum = number })
  default     = { minimum = 1, maximum = 1 }

  validation {
    condition     = var.tasks.minimum >= 1 && var.tasks.maximum >= var.tasks.minimum && var.tasks.maximum <= 50
    error_message = "At least one, at most 50, and the maximum not below the minimum."
  }
}

variable "connections" {
  description = "Database connections of a task; times the most tasks they must stay below the database's limit."
  type        = number
  default     = 16

  validation {
    condition     = var.connections >= 2 && var.connections <= 200
    error_message = "2 to 200."
  }
}

variable "extraction" {
  description = "What finds entities: embedded, or comprehend-medical, which sends the text of each dictation to that service."
  type        = string
  default     = "embedded"

  validation {
    condition     = contains(["embedded", "comprehend-medical"], var.extraction)
    error_message = "embedded or comprehend-medical."
  }
}

variable "extraction_region" {
  description = "Region of Comprehend Medical; never guessed, since texts leave for it. None of its regions lies in India."
  type        = string
  default     = ""

  validation {
    condition     = var.extraction != "comprehend-medical" || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.extraction_region))
    error_message = "extraction = comprehend-medical needs a region, such as eu-west-1."
  }
}

variable "extraction_codes" {
  description = "Code systems whose codes Comprehend Medical infers too: rxnorm, icd10cm, snomedct. Each is a question of its own, and paid for."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.extraction_codes : contains(["rxnorm", "icd10cm", "snomedct"], name)])
    error_message = "rxnorm, icd10cm and snomedct only."
  }

  validation {
    condition     = length(var.extraction_codes) == 0 || var.extraction == "comprehend-medical"
    error_message = "extraction_codes does something only where extraction = comprehend-medical."
  }
}

variable "speech" {
  description = "What listens: embedded, or transcribe or transcribe-medical, to which the audio of each dictation leaves."
  type        = string
  default     = "embedded"

  validation {
    condition     = contains(["embedded", "transcribe", "transcribe-medical"], var.speech)
    error_message = "embedded, transcribe or transcribe-medical."
  }
}

variable "speech_region" {
  description = "Region of Transcribe; never guessed, since audio leaves for it. Transcribe Medical has none in India."
  type        = string
  default     = ""

  validation {
    condition     = var.speech == "embedded" || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.speech_region))
    error_message = "speech = transcribe and transcribe-medical need a region, such as ap-south-1."
  }
}

variable "speech_language" {
  description = "Variant that all variants of its language are heard as, such as en-IN; empty for none. Transcribe Medical knows en-US only."
  type        = string
  default     = ""

  validation {
    condition     = var.speech != "transcribe-medical" || var.speech_language == "en-US"
    error_message = "speech = transcribe-medical needs speech_language = en-US: all English is heard as that."
  }
}

variable "speech_specialty" {
  description = "Specialty that Transcribe Medical is told; empty for PRIMARYCARE."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "PRIMARYCARE", "RADIOLOGY", "UROLOGY"], var.speech_specialty)
    error_message = "CARDIOLOGY, NEUROLOGY, ONCOLOGY, PRIMARYCARE, RADIOLOGY or UROLOGY."
  }

  validation {
    condition     = var.speech_specialty == "" || var.speech == "transcribe-medical"
    error_message = "speech_specialty does something only where speech = transcribe-medical."
  }
}

variable "speech_vocabulary" {
  description = "Custom vocabulary of Transcribe in the account, by name; empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9A-Za-z._-]*$", var.speech_vocabulary))
    error_message = "Letters, digits and ._- only."
  }
}

variable "translation" {
  description = "What translates advice when somebody asks for it: none, or amazon-translate, to which the advice leaves."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "amazon-translate"], var.translation)
    error_message = "none or amazon-translate."
  }
}

variable "translation_region" {
  description = "Region of Translate; never guessed, since texts leave for it."
  type        = string
  default     = ""

  validation {
    condition     = var.translation == "none" || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.translation_region))
    error_message = "translation = amazon-translate needs a region, such as ap-south-1."
  }
}

variable "translation_terminologies" {
  description = "Custom terminologies of Translate in the account, by name, which keep the names of medicines."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.translation_terminologies : can(regex("^[0-9A-Za-z_-]+$", name))])
    error_message = "Letters, digits, _ and - only."
  }
}

variable "identity" {
  description = "Who logs API clients in: seva itself, or cognito as well, whose tokens are then accepted beside its own; the pages use seva for it."
  type        = string
  default     = "seva"

  validation {
    condition     = contains(["seva", "cognito"], var.identity)
    error_message = "seva or cognito."
  }
}

variable "callback_urls" {
  description = "Where Cognito may send people after the log-in; needed with identity = cognito."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.callback_urls : startswith(url, "https://")])
    error_message = "Each must begin with https://."
  }

  validation {
    condition     = var.identity != "cognito" || length(var.callback_urls) > 0
    error_message = "identity = cognito needs at least one callback URL."
  }
}

variable "log_level" {
  description = "Level or filter of the log."
  type        = string
  default     = "info"

  validation {
    condition     = length(var.log_level) > 0
    error_message = "A level such as info, or a filter such as info,seva_http=debug."
  }
}

variable "alarm_email" {
  description = "Address that alarms are mailed to; empty for none."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_email == "" || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "An e-mail address, or empty."
  }
}
