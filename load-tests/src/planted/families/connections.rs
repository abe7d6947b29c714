//! Owns connection strings and addresses with credentials in them; only the credential is the secret span.
//! It must never name a host that exists: all end in `.internal` or in a vendor's fixed suffix.

use super::{Family, form};

pub(super) const FAMILIES: &[Family] = &[
    form("postgres-url", "postgres://{user}:\u{2039}{pw}\u{203a}@{host}:5432/{word}?sslmode=verify-full"),
    form("postgresql-url", "postgresql://{user}:\u{2039}{b62:20}\u{203a}@{host}/{word}"),
    form("mysql-url", "mysql://{user}:\u{2039}{pw}\u{203a}@{host}:3306/{word}"),
    form("mariadb-url", "mariadb://{user}:\u{2039}{b62:16}\u{203a}@{host}:3306/{word}"),
    form("sqlalchemy-url", "mysql+pymysql://{user}:\u{2039}{b62:18}\u{203a}@{host}/{word}?charset=utf8mb4"),
    form("mssql-url", "sqlserver://{user}:\u{2039}{b62:18}\u{203a}@{host}:1433?database={word}"),
    form("oracle-url", "oracle://{user}:\u{2039}{b62:18}\u{203a}@{host}:1521/{word}"),
    form("mongodb-url", "mongodb://{user}:\u{2039}{pw}\u{203a}@{host}:27017/{word}?authSource=admin"),
    form(
        "mongodb-srv-url",
        "mongodb+srv://{user}:\u{2039}{b62:20}\u{203a}@{word}.mongodb.net/{word}?retryWrites=true",
    ),
    form("redis-url", "redis://default:\u{2039}{b62:24}\u{203a}@{host}:6379/0"),
    form("redis-url-without-user", "rediss://:\u{2039}{b62:32}\u{203a}@{host}:6380"),
    form("amqp-url", "amqps://{user}:\u{2039}{pw}\u{203a}@{host}:5671/%2F{word}"),
    form("nats-url", "nats://{user}:\u{2039}{b62:20}\u{203a}@{host}:4222"),
    form("clickhouse-url", "clickhouse://{user}:\u{2039}{b62:20}\u{203a}@{host}:9440/{word}?secure=true"),
    form("cockroach-url", "cockroachdb://{user}:\u{2039}{b62:20}\u{203a}@{host}:26257/{word}"),
    form("ldap-url", "ldaps://{user}:\u{2039}{b62:20}\u{203a}@{host}:636"),
    form("smtp-url", "smtps://{user}:\u{2039}{b62:20}\u{203a}@{host}:465"),
    form("ftp-url", "ftp://{user}:\u{2039}{b62:14}\u{203a}@{host}/{word}"),
    form("sftp-url", "sftp://{user}:\u{2039}{pw}\u{203a}@{host}:22/upload"),
    form("ssh-url", "ssh://{user}:\u{2039}{b62:14}\u{203a}@{host}:22"),
    form("basic-auth-url", "https://{user}:\u{2039}{pw}\u{203a}@{host}/repository/{word}/"),
    form("git-token-url", "https://oauth2:\u{2039}{b62:26}\u{203a}@{host}/{word}/{word}.git"),
    form("proxy-url", "http://{user}:\u{2039}{b62:14}\u{203a}@{host}:3128"),
    form(
        "percent-password-url",
        "postgres://{user}:\u{2039}{b62:8}%40{b62:4}%23{b62:4}\u{203a}@{host}/{word}",
    ),
    form(
        "jdbc-postgres",
        "jdbc:postgresql://{host}:5432/{word}?user={user}&password=\u{2039}{pw}\u{203a}&ssl=true",
    ),
    form("jdbc-mysql", "jdbc:mysql://{host}:3306/{word}?user={user}&password=\u{2039}{b62:18}\u{203a}"),
    form(
        "jdbc-sqlserver",
        "jdbc:sqlserver://{host}:1433;databaseName={word};user={user};password=\u{2039}{pw}\u{203a};encrypt=true",
    ),
    form("jdbc-oracle-thin", "jdbc:oracle:thin:{user}/\u{2039}{b62:16}\u{203a}@{host}:1521/{word}"),
    form(
        "ado-sql-server",
        "Server=tcp:{word}.database.windows.net,1433;Initial Catalog={word};User ID={user};Password=\u{2039}{pw}\u{203a};Encrypt=True;",
    ),
    form("ado-pwd", "Driver={word};Server={host};Uid={user};Pwd=\u{2039}{b62:18}\u{203a};"),
    form("npgsql", "Host={host};Port=5432;Database={word};Username={user};Password=\u{2039}{b62:20}\u{203a}"),
    form(
        "libpq-keywords",
        "host={host} port=5432 dbname={word} user={user} password=\u{2039}{b62:20}\u{203a} sslmode=require",
    ),
    form("go-mysql-dsn", "{user}:\u{2039}{b62:20}\u{203a}@tcp({host}:3306)/{word}?parseTime=true"),
    form(
        "azure-storage-connection",
        "DefaultEndpointsProtocol=https;AccountName=st{low:10};AccountKey=\u{2039}{b64:86}==\u{203a};EndpointSuffix=core.windows.net",
    ),
    form(
        "azure-service-bus-connection",
        "Endpoint=sb://{word}.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=\u{2039}{b64:43}=\u{203a}",
    ),
    form(
        "azure-iot-connection",
        "HostName={word}.azure-devices.net;DeviceId={word}-1;SharedAccessKey=\u{2039}{b64:43}=\u{203a}",
    ),
    form(
        "azure-cosmos-connection",
        "AccountEndpoint=https://{word}.documents.azure.com:443/;AccountKey=\u{2039}{b64:86}==\u{203a};",
    ),
    form(
        "azure-redis-connection",
        "{word}.redis.cache.windows.net:6380,password=\u{2039}{b64:43}=\u{203a},ssl=True,abortConnect=False",
    ),
    form(
        "azure-sas-url",
        "https://st{low:8}.blob.core.windows.net/{word}?sv=2024-11-04&ss=b&srt=co&sp=rl&se=2027-01-01T00:00:00Z&sig=\u{2039}{b62:42}%3D\u{203a}",
    ),
    form(
        "aws-presigned-url",
        "https://{word}.s3.amazonaws.com/{word}.zip?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-Signature=\u{2039}{hex:64}\u{203a}",
    ),
    form(
        "gcs-signed-url",
        "https://storage.googleapis.com/{word}/{word}.tgz?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature=\u{2039}{hex:256}\u{203a}",
    ),
    form(
        "query-access-token",
        "https://{host}/ingest?source=terraform&access_token=\u{2039}{b62:32}\u{203a}&v=2",
    ),
    form("query-api-key", "https://{host}/v1/{word}?api_key=\u{2039}{hex:32}\u{203a}"),
    form("query-password", "https://{host}/login?user={user}&password=\u{2039}{b62:16}\u{203a}"),
    form("fragment-token", "https://{host}/app#access_token=\u{2039}{b62:40}\u{203a}&expires_in=3600"),
    form("sentry-secret-dsn", "https://{hex:32}:\u{2039}{hex:32}\u{203a}@sentry.{host}/42"),
    form(
        "kafka-jaas",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{user}\" password=\"\u{2039}{b62:24}\u{203a}\";",
    ),
    form("bearer-header", "Authorization: Bearer \u{2039}{b62:40}\u{203a}"),
    form("token-header", "Authorization: token \u{2039}{hex:40}\u{203a}"),
    form("api-key-header", "X-Api-Key: \u{2039}{b62:32}\u{203a}"),
    form("vault-header", "X-Vault-Token: \u{2039}s.{b62:24}\u{203a}"),
    form("gitlab-header", "PRIVATE-TOKEN: \u{2039}{b62:20}\u{203a}"),
    form("cookie-header", "Cookie: sessionid=\u{2039}{b62:32}\u{203a}"),
    form("bcrypt-hash", "$2b$12$\u{2039}{b62:53}\u{203a}"),
    form("sha512-crypt-hash", "$6$rounds=5000${b62:16}$\u{2039}{b62:86}\u{203a}"),
    form("werkzeug-hash", "scrypt:32768:8:1${b62:16}$\u{2039}{hex:128}\u{203a}"),
    form("werkzeug-pbkdf2-hash", "pbkdf2:sha256:600000${b62:16}$\u{2039}{hex:64}\u{203a}"),
    form("argon2-hash", "$argon2id$v=19$m=65536,t=3,p=4${b62:22}$\u{2039}{b62:43}\u{203a}"),
    form("htpasswd-apr1", "{user}:$apr1${b62:8}$\u{2039}{b62:22}\u{203a}"),
];
