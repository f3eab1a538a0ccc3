"""The ledger only grows, and its sums cannot go below what is promised.

Revision: 0005_pre_stock_ledger
After: 0004_pre_dispatch
"""

from alembic import op

revision = "0005_pre_stock_ledger"
down_revision = "0004_pre_dispatch"
branch_labels = None
depends_on = None

_UP = (
    """
    CREATE FUNCTION refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% only grows: write a new row instead', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER movement_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON movement
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_v1()
    """,
    """
    CREATE FUNCTION sum_movement_v1() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO balance (lot_id, on_hand) VALUES (NEW.lot_id, greatest(NEW.quantity, 0))
        ON CONFLICT (lot_id) DO UPDATE SET on_hand = balance.on_hand + NEW.quantity;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER movement_sums AFTER INSERT ON movement
        FOR EACH ROW EXECUTE FUNCTION sum_movement_v1()
    """,
    """
    CREATE FUNCTION sum_reservation_v1() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        was integer := CASE WHEN TG_OP = 'UPDATE' AND OLD.status = 'active' THEN OLD.quantity
                            ELSE 0 END;
        is_now integer := CASE WHEN NEW.status = 'active' THEN NEW.quantity ELSE 0 END;
    BEGIN
        UPDATE balance SET reserved = reserved - was + is_now WHERE lot_id = NEW.lot_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER reservation_sums AFTER INSERT OR UPDATE OF status, quantity ON reservation
        FOR EACH ROW EXECUTE FUNCTION sum_reservation_v1()
    """,
    """
    CREATE FUNCTION refuse_line_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.struck_at IS NULL
           AND (to_jsonb(NEW) - 'struck_at' - 'struck_by')
               = (to_jsonb(OLD) - 'struck_at' - 'struck_by') THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a timeline line is struck once and never changed or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER line_only_grows BEFORE UPDATE OR DELETE ON line
        FOR EACH ROW EXECUTE FUNCTION refuse_line_change_v1()
    """,
)

_DOWN = (
    "DROP TRIGGER line_only_grows ON line",
    "DROP FUNCTION refuse_line_change_v1()",
    "DROP TRIGGER reservation_sums ON reservation",
    "DROP FUNCTION sum_reservation_v1()",
    "DROP TRIGGER movement_sums ON movement",
    "DROP FUNCTION sum_movement_v1()",
    "DROP TRIGGER movement_only_grows ON movement",
    "DROP FUNCTION refuse_change_v1()",
)


def upgrade() -> None:
    """Bring the schema up by one step."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Take the step back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _DOWN:
        op.execute(statement)
