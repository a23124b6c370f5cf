//! As whom PostgreSQL runs: ourselves, or an unprivileged user when we are root (PostgreSQL refuses to run as root).

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PostgresError;

/// The user that owns and runs the cluster.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    other: Option<(u32, u32)>,
}

impl Identity {
    /// Ourselves; for root the user `postgres`, else `nobody`.
    pub(super) fn choose() -> Result<Self, PostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let users =
            std::fs::read_to_string("/etc/passwd").map_err(PostgresError::io("read", Path::new("/etc/passwd")))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find_user(&users, name))
            .map(|ids| Self { other: Some(ids) })
            .ok_or(PostgresError::NoUnprivilegedUser)
    }

    /// The folder for the cluster: the data folder, unless the unprivileged user can't reach it (a clone under `/root`).
    pub(super) fn home_for(&self, data: &Path) -> Result<PathBuf, PostgresError> {
        std::fs::create_dir_all(data).map_err(PostgresError::io("create", data))?;
        let data = data.canonicalize().map_err(PostgresError::io("open", data))?;
        if self.other.is_none() || reachable_by_all(&data) {
            return Ok(data);
        }
        let elsewhere = Path::new("/var/lib/seva").join(short_hash(&data));
        std::fs::create_dir_all(&elsewhere).map_err(PostgresError::io("create", &elsewhere))?;
        Ok(elsewhere)
    }

    /// Makes a folder that only this user may enter.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), PostgresError> {
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(PostgresError::io("create", path))?;
        }
        let owner = std::fs::metadata(path).map_err(PostgresError::io("open", path))?.uid();
        let wanted = self.other.map_or_else(|| rustix::process::geteuid().as_raw(), |(user, _)| user);
        if owner != wanted {
            let (user, group) = self.other.unwrap_or((wanted, wanted));
            std::os::unix::fs::chown(path, Some(user), Some(group)).map_err(PostgresError::io("own", path))?;
        }
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(PostgresError::io("protect", path))
    }

    /// A command that runs as this user, in its own process group: a terminal's Ctrl-C must reach `seva` alone, which
    /// then stops PostgreSQL in order.
    pub(super) fn command(&self, program: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.process_group(0).current_dir("/").stdin(std::process::Stdio::null());
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A short stable name for a path.
pub(super) fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hex::encode(digest).chars().take(12).collect()
}

fn reachable_by_all(path: &Path) -> bool {
    path.ancestors().all(|folder| std::fs::metadata(folder).is_ok_and(|data| data.mode() & 0o001 != 0))
}

fn find_user(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some((user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_exact_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:5:5::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(find_user(passwd, "postgres"), Some((101, 104)));
        assert_eq!(find_user(passwd, "nobody"), None);
    }
}
