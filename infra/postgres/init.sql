-- A role and a database for each server, on an empty PostgreSQL 14 or newer. Run it with psql:
--   PREFECT_DB_PASSWORD=... MLFLOW_DB_PASSWORD=... psql --username postgres --file infra/postgres/init.sql
\set ON_ERROR_STOP on
\getenv prefect_password PREFECT_DB_PASSWORD
\getenv mlflow_password MLFLOW_DB_PASSWORD

CREATE ROLE prefect LOGIN PASSWORD :'prefect_password';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE DATABASE prefect OWNER prefect;
CREATE DATABASE mlflow OWNER mlflow;
REVOKE CONNECT ON DATABASE prefect, mlflow FROM PUBLIC;

-- Prefect's search requires this extension, which an ordinary role may not be allowed to create.
\connect prefect
CREATE EXTENSION pg_trgm;
