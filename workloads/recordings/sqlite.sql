-- What sqlite.gwt records. The database lives in the memory of the process.
.output /dev/null
PRAGMA temp_store = memory;
CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL, note BLOB NOT NULL);
CREATE TABLE transfer(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL, amount INTEGER NOT NULL);

-- Bulk load: 300,000 rows.
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO account SELECT i, 'owner ' || (i * 7919 % 300007), 1000, randomblob(120) FROM n;
COMMIT;
CREATE INDEX account_by_owner ON account(owner);

-- Transfers: first the bare rows, then each with its two updates at random places.
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
INSERT INTO transfer SELECT i, 1 + abs(random() % 300000), 1 + abs(random() % 300000), 1 + abs(random() % 100) FROM n;
CREATE TRIGGER pay AFTER INSERT ON transfer BEGIN
  UPDATE account SET balance = balance - new.amount WHERE id = new.source;
  UPDATE account SET balance = balance + new.amount WHERE id = new.target;
END;
WITH RECURSIVE n(i) AS (SELECT 150001 UNION ALL SELECT i + 1 FROM n WHERE i < 350000)
INSERT INTO transfer SELECT i, 1 + abs(random() % 300000), 1 + abs(random() % 300000), 1 + abs(random() % 100) FROM n;

-- A report that reads all and sorts.
SELECT owner, sum(amount) AS paid FROM account JOIN transfer ON transfer.source = account.id GROUP BY owner ORDER BY paid DESC LIMIT 10;

-- A hot spot: few accounts, many updates.
WITH RECURSIVE n(i) AS (SELECT 350001 UNION ALL SELECT i + 1 FROM n WHERE i < 600000)
INSERT INTO transfer SELECT i, 1 + abs(random() % 2000), 1 + abs(random() % 2000), 1 + abs(random() % 100) FROM n;

-- A purge of old rows.
DELETE FROM transfer WHERE id <= 150000;
UPDATE account SET note = randomblob(120) WHERE id % 10 = 0;
